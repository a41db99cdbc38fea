// Varints, frames and the bounded protobuf reader: one encoding for one value; splitting changes nothing; no byte is held that
// has not come.
#include "fuzz.hpp"

#include <gigi/codec/frame.hpp>
#include <gigi/codec/protobuf.hpp>
#include <gigi/core/varint.hpp>

#include <optional>

namespace varint_fuzz {

using namespace gigi;

namespace {

constexpr std::size_t largest = 4096;

struct outcome {
    std::vector<bytes> frames;
    std::error_code error;
    bool at_boundary = false;
    bool operator==(outcome const &) const = default;
};

void feed(frame_decoder &decoder, bytes_view part, outcome &out) {
    do {
        auto const before = part.size();
        auto const frame = decoder.feed(part);
        fuzz::check_result(frame);
        if (!frame) {
            FUZZ_CHECK(!out.error || out.error == frame.error());
            out.error = frame.error();
            return;
        }
        if (*frame) {
            FUZZ_CHECK((*frame)->size() <= largest);
            out.frames.push_back(to_bytes(**frame));
        } else {
            FUZZ_CHECK(part.empty()); // all was taken
        }
        FUZZ_CHECK(part.size() < before || before == 0 || *frame);
    } while (!part.empty());
}

void check_protobuf(bytes_view data, int depth) {
    protobuf_reader in{data};
    std::size_t fields = 0;
    while (in.next()) {
        FUZZ_CHECK(++fields <= data.size() && !in.error());
        if (in.field() % 4 == 0) continue; // skipped
        if (in.field() % 4 == 1) {
            in.varint();
            continue;
        }
        auto const part = in.data();
        FUZZ_CHECK(part.empty() || (part.data() >= data.data() && part.data() + part.size() <= data.data() + data.size()));
        if (depth < 4) check_protobuf(part, depth + 1);
    }
    FUZZ_CHECK(!in.next() && in.data().empty() && in.varint() == 0);
}

} // namespace

FUZZ_TARGET(varint) {
    auto const front = read_varint(data);
    if (front.state == varint_result::status::complete) {
        std::uint8_t raw[max_varint_size + 1];
        FUZZ_CHECK(front.size <= data.size() && front.value <= max_varint && varint_size(front.value) == front.size);
        FUZZ_CHECK(store_varint(raw, front.value) == front.size && equal(bytes_view{raw, front.size}, data.first(front.size)));
    } else {
        FUZZ_CHECK(front.size == 0 && (front.state == varint_result::status::invalid || data.size() < max_varint_size));
    }

    outcome whole, parts;
    {
        frame_decoder decoder{largest};
        feed(decoder, data, whole);
        whole.at_boundary = decoder.at_boundary();
    }
    {
        frame_decoder decoder{largest};
        fuzz::split(data, static_cast<std::uint32_t>(data.size()), [&](bytes_view part) { feed(decoder, part, parts); });
        parts.at_boundary = decoder.at_boundary();
    }
    FUZZ_CHECK(whole == parts);
    bytes again, encoded_in_place;
    for (auto const &frame : whole.frames) {
        append_frame(again, frame);
        append_frame_of(encoded_in_place, [&](bytes &out) { append(out, frame); });
    }
    FUZZ_CHECK(again == encoded_in_place && equal(again, data.first(again.size())));
    FUZZ_CHECK(!whole.at_boundary || again.size() == data.size());

    check_protobuf(data, 0);
}

FUZZ_SEEDS {
    bytes frames, large, message;
    append_frame(frames, as_bytes("one"));
    append_frame(frames, {});
    append_frame(frames, bytes(200, 'x'));
    append_varint(large, largest + 1);
    protobuf_writer{message}.varint(1, 300).text(2, "text").message(3, [](protobuf_writer &w) { w.boolean(1, true).text(2, "in"); });
    return {frames, large, message, {0x80, 0x00}, bytes(9, 0xff)};
}

} // namespace varint_fuzz
