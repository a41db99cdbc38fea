# Runs a port as vcpkg does, with stand-ins for what vcpkg provides: cmake -DPORT_DIR=… -DWORK=… -P vcpkg.cmake
#
# Each does what vcpkg documents of it, as far as the port needs it, and stops at what vcpkg would stop at.
set(PORT gigi)
set(CURRENT_PACKAGES_DIR ${WORK}/package)

macro(must)
    execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endmacro()

macro(exists file)
    if(NOT EXISTS "${file}")
        message(FATAL_ERROR "the port speaks of ${file}, which is not there")
    endif()
endmacro()

function(vcpkg_download_distfile out)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "URLS;FILENAME;SHA512" "")
    file(DOWNLOAD ${arg_URLS} ${WORK}/${arg_FILENAME} EXPECTED_HASH SHA512=${arg_SHA512})
    set(${out} ${WORK}/${arg_FILENAME} PARENT_SCOPE)
endfunction()

function(vcpkg_extract_source_archive out)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "ARCHIVE" "")
    file(ARCHIVE_EXTRACT INPUT ${arg_ARCHIVE} DESTINATION ${WORK}/source)
    file(GLOB folder ${WORK}/source/*)
    set(${out} ${folder} PARENT_SCOPE)
endfunction()

function(vcpkg_cmake_configure)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
    file(STRINGS ${arg_SOURCE_PATH}/CMakeLists.txt lines)
    foreach(option IN LISTS arg_OPTIONS)
        string(REGEX REPLACE "^-D(.*)=.*" "\\1" name ${option})
        if(NOT lines MATCHES "option\\(${name} ")
            message(FATAL_ERROR "the port sets ${name}, which is no option")
        endif()
    endforeach()
    must(${CMAKE_COMMAND} -S ${arg_SOURCE_PATH} -B ${WORK}/build -G Ninja -DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR} ${arg_OPTIONS})
endfunction()

function(vcpkg_cmake_install)
    must(${CMAKE_COMMAND} --build ${WORK}/build --target install)
endfunction()

function(vcpkg_cmake_config_fixup)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH" "")
    exists(${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/gigi-config.cmake)
    file(RENAME ${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH} ${CURRENT_PACKAGES_DIR}/share/gigi)
    file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/share/cmake)
    file(READ ${CURRENT_PACKAGES_DIR}/share/gigi/gigi-targets.cmake text) # it is one folder nearer to the prefix now
    set(step "get_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\n")
    string(REPLACE "${step}${step}" "${step}" text "${text}")
    file(WRITE ${CURRENT_PACKAGES_DIR}/share/gigi/gigi-targets.cmake "${text}")
endfunction()

function(vcpkg_fixup_pkgconfig)
    exists(${CURRENT_PACKAGES_DIR}/share/pkgconfig/gigi.pc)
endfunction()

function(vcpkg_install_copyright)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
    exists(${arg_FILE_LIST})
    file(COPY_FILE ${arg_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright)
endfunction()

include(${PORT_DIR}/portfile.cmake)
