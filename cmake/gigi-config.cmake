# find_package(gigi) comes here. Makes gigi::gigi.
include("${CMAKE_CURRENT_LIST_DIR}/gigi-dependencies.cmake")
if(gigi_MISSING)
    set(gigi_FOUND FALSE)
    set(gigi_NOT_FOUND_MESSAGE "gigi needs what is missing here:\n  ${gigi_MISSING}")
else()
    include("${CMAKE_CURRENT_LIST_DIR}/gigi-targets.cmake")
endif()
