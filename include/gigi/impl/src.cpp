// gigi/impl/src.cpp: gigi's definitions, where it is compiled once; with -DGIGI_SEPARATE_COMPILATION, as in every other source file.
#include "src.hpp"
