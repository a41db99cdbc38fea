// gigi/node/impl/stack.ipp: the stack that every node has but those of tests, made where gigi is compiled.
#pragma once

#include "../stack.hpp"

#ifdef GIGI_SEPARATE_COMPILATION
template gigi::node_parts gigi::parts_of(gigi::default_stack);
#endif
