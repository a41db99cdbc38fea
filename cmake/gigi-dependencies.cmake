# Finds what gigi's headers include: for gigi's own build, and, installed beside gigi-config.cmake, for those who use it.
#
# Asio, cereal and protozero have no CMake packages everywhere, so their headers are looked for; GIGI_ASIO_INCLUDE_DIR,
# GIGI_CEREAL_INCLUDE_DIR and GIGI_PROTOZERO_INCLUDE_DIR say where they are when they are somewhere unusual. Targets
# that the project already has (asio::asio, cereal::cereal, protozero::protozero) are preferred.
# Sets gigi_MISSING to sentences that say what is not there; makes gigi::asio, gigi::cereal and gigi::protozero.
set(gigi_MISSING "")

function(gigi_find_headers name header package)
    if(TARGET gigi::${name})
        return()
    endif()
    set(target ${name}::${name})
    if(NOT TARGET ${target})
        string(TOUPPER ${name} upper)
        find_path(GIGI_${upper}_INCLUDE_DIR ${header} DOC "Where <${header}> is")
        mark_as_advanced(GIGI_${upper}_INCLUDE_DIR)
        if(NOT GIGI_${upper}_INCLUDE_DIR) # no target: the next find_package must look again
            list(APPEND gigi_MISSING "<${header}> was not found (Debian's package: ${package}, or set GIGI_${upper}_INCLUDE_DIR)")
            set(gigi_MISSING "${gigi_MISSING}" PARENT_SCOPE)
            return()
        endif()
    endif()
    add_library(gigi::${name} INTERFACE IMPORTED GLOBAL)
    if(TARGET ${target})
        set_target_properties(gigi::${name} PROPERTIES INTERFACE_LINK_LIBRARIES ${target})
    else()
        set_target_properties(gigi::${name} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${GIGI_${upper}_INCLUDE_DIR}")
    endif()
endfunction()

gigi_find_headers(asio asio/awaitable.hpp libasio-dev)
gigi_find_headers(cereal cereal/cereal.hpp libcereal-dev)
gigi_find_headers(protozero protozero/pbf_reader.hpp libprotozero-dev)

find_package(Threads QUIET)
if(NOT TARGET Threads::Threads)
    list(APPEND gigi_MISSING "no thread library was found")
endif()
find_package(OpenSSL 3.0 QUIET COMPONENTS Crypto)
if(NOT TARGET OpenSSL::Crypto OR NOT OPENSSL_FOUND)
    list(APPEND gigi_MISSING "OpenSSL 3.0 or newer was not found (Debian's package: libssl-dev)")
endif()
list(JOIN gigi_MISSING "\n  " gigi_MISSING)
