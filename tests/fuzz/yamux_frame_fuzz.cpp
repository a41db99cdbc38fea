// yamux headers: what is accepted is written back as the same bytes, and breaks none of the rules that a header alone can break.
#include "fuzz.hpp"

#include <gigi/mux/yamux_frame.hpp>

namespace yamux_frame_fuzz {

using namespace gigi;

FUZZ_TARGET(yamux_frame) {
    for (; data.size() >= yamux_header::size; data = data.subspan(yamux_header::size)) {
        auto const raw = data.first<yamux_header::size>();
        auto const header = parse_yamux_header(raw);
        fuzz::check_result(header);
        if (!header) continue;
        std::array<std::uint8_t, yamux_header::size> built;
        build_yamux_header(*header, built);
        FUZZ_CHECK(std::ranges::equal(raw, built));
        bool const of_session = header->type == yamux_type::ping || header->type == yamux_type::go_away;
        FUZZ_CHECK(of_session == (header->stream_id == 0));
        FUZZ_CHECK(!(header->has(yamux_flag::syn) && header->has(yamux_flag::ack)));
        FUZZ_CHECK((header->flags & ~yamux_flag::all) == 0);
    }
}

FUZZ_SEEDS {
    fuzz::inputs all;
    for (yamux_header const header : {yamux_header{yamux_type::data, 1, 1, 10}, {yamux_type::window_update, 2, 3, 262144}, {yamux_type::window_update, 4, 2, 0},
                                      {yamux_type::ping, 1, 0, 7}, {yamux_type::go_away, 0, 0, 1}}) {
        bytes raw(yamux_header::size);
        build_yamux_header(header, std::span{raw}.first<yamux_header::size>());
        all.push_back(raw);
    }
    return all;
}

} // namespace yamux_frame_fuzz
