# What gigi needs, as the target gigi::dependencies. Used by gigi's own build and by the installed package.
if(TARGET gigi::dependencies)
    return()
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)

function(gigi_find_header variable header package)
    find_path(${variable} ${header})
    mark_as_advanced(${variable})
    if(NOT ${variable})
        message(FATAL_ERROR "gigi needs <${header}>: install it (Debian: ${package}), or set ${variable} to the folder that holds it")
    endif()
endfunction()
gigi_find_header(GIGI_ASIO_INCLUDE_DIR asio.hpp libasio-dev)
gigi_find_header(GIGI_CEREAL_INCLUDE_DIR cereal/cereal.hpp libcereal-dev)
gigi_find_header(GIGI_PROTOZERO_INCLUDE_DIR protozero/version.hpp libprotozero-dev)

file(STRINGS "${GIGI_ASIO_INCLUDE_DIR}/asio/version.hpp" gigi_asio_version REGEX "define ASIO_VERSION ")
string(REGEX MATCH "[0-9]+" gigi_asio_version "${gigi_asio_version}")
if(gigi_asio_version LESS 102201)
    message(FATAL_ERROR "gigi needs Asio 1.22.1 or newer; ${GIGI_ASIO_INCLUDE_DIR} holds ${gigi_asio_version}")
endif()

add_library(gigi::dependencies INTERFACE IMPORTED)
set_target_properties(gigi::dependencies PROPERTIES
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${GIGI_ASIO_INCLUDE_DIR};${GIGI_CEREAL_INCLUDE_DIR};${GIGI_PROTOZERO_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "OpenSSL::Crypto;Threads::Threads")
