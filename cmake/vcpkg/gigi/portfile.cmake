set(VCPKG_BUILD_TYPE release) # header-only

# In gigi's own tree: the tree around this port. cmake/release.py puts here, instead, what fetches the release.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DGIGI_BUILD_TESTS=OFF
        -DGIGI_BUILD_EXAMPLES=OFF
        -DGIGI_BUILD_BENCH=OFF
        -DGIGI_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/gigi)
vcpkg_fixup_pkgconfig()

file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
