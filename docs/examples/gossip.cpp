// docs/examples/gossip.cpp: docs/gossip.md's program for the router alone: three of them in one loop, no sockets, no clock.
#include "expect.hpp"

// [include]
#include <gigi/gossip/mesh.hpp>
#include <gigi/gossip/message.hpp>
// [include]

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

// [router]
struct router {
    explicit router(gigi::random_source &random)
        : self{gigi::identity::generate(random)}, mesh{self.id(), gigi::gossip_options(), hooks(), random} {}

    static gigi::mesh_hooks hooks() {
        gigi::mesh_hooks h;
        h.verify = gigi::verify_message; // signatures; nothing is delivered or forwarded without
        h.validate = [](gigi::peer_id const &, gigi::peer_id const &, gigi::gossip_message const &m) {
            return m.data.size() <= 1000 ? gigi::validity::accept : gigi::validity::reject; // the app's own rule
        };
        return h;
    }

    gigi::identity self;
    gigi::mesh mesh;
    std::vector<std::string> heard;
};
// [router]

// [carry]
/// Carries what the routers want to send until none has anything left to say.
void settle(std::map<gigi::peer_id, router *> const &all, gigi::time_point now) {
    for (bool busy = true; busy;) {
        busy = false;
        for (auto const &[id, r] : all) {
            gigi::mesh_output out = r->mesh.take_output();
            for (auto const &d : out.deliveries) r->heard.push_back(gigi::to_text(d.message->data));
            for (auto const &send : out.sends) {
                busy = true;
                gigi::bytes wire;
                gigi::encode(send.what, wire); // as it travels; a real one frames it and writes it to a stream
                all.at(send.to)->mesh.receive(now, id, *gigi::parse_rpc(wire));
            }
        }
    }
}
// [carry]

int main() {
    // [three]
    gigi::seeded_random random{1};
    router a{random}, b{random}, c{random};
    std::map<gigi::peer_id, router *> const all{{a.self.id(), &a}, {b.self.id(), &b}, {c.self.id(), &c}};
    gigi::time_point now{1h};

    auto const connect = [](router &x, router &y) {
        x.mesh.add_peer(y.self.id(), gigi::gossip_version::v1_2, true); // x dialled y
        y.mesh.add_peer(x.self.id(), gigi::gossip_version::v1_2, false);
    };
    connect(a, b); // a line: a and c do not know each other
    connect(b, c);
    for (auto const &[id, r] : all) r->mesh.join(now, "news");
    settle(all, now);

    auto const message = gigi::sign_message(a.self, "news", gigi::to_bytes("it rains"), 1);
    a.mesh.publish(now, std::make_shared<gigi::gossip_message const>(message));
    settle(all, now);
    expect(b.heard == std::vector<std::string>{"it rains"}, "b is a's peer");
    expect(c.heard == b.heard, "c has it from b");

    for (int second = 0; second < 10; ++second) { // duplicates, mesh and backoffs are looked after
        now += 1s;
        for (auto const &[id, r] : all) r->mesh.heartbeat(now);
        settle(all, now);
    }
    expect(c.heard.size() == 1, "each message is delivered once");
    // [three]

    // [forged]
    auto forged = gigi::sign_message(a.self, "news", gigi::to_bytes("the sun shines"), 2);
    forged.data = gigi::to_bytes("it snows");
    gigi::message_outcome const outcome = b.mesh.receive_message(now, a.self.id(), std::make_shared<gigi::gossip_message const>(forged));
    expect(outcome == gigi::message_outcome::invalid, "the signature is over the data");
    expect(b.mesh.stats()[gigi::misbehaviour::invalid_message] == 1, "and who forwarded it is remembered for it");
    // [forged]
    return 0;
}
