#include <gigi/transport/tcp.hpp>

#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>
#include <gigi/crypto/random.hpp>
#include <gigi/link/swarm.hpp>
#include <gigi/mux/yamux.hpp>
#include <gigi/security/noise.hpp>
#include <gigi/testing/run_test.hpp>

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#ifndef _WIN32
#include <dlfcn.h>
#include <netdb.h>
#endif

namespace tcp_test {

using namespace gigi;

namespace {

multiaddr at(std::string const &text) { return multiaddr::parse(text).value(); }

awaitable<void> send_pieces(tcp_connection &to, std::vector<bytes> const &pieces) {
    std::vector<bytes_view> const views{pieces.begin(), pieces.end()};
    co_await to.write(std::span<bytes_view const>{views});
    to.close_write();
}

awaitable<bytes> receive(tcp_connection &from) {
    bytes all, buffer(70'000);
    for (;;) {
        mutable_bytes const room{buffer};
        std::size_t const n = co_await from.read_some(room);
        if (n == 0) break;
        append(all, bytes_view{buffer}.first(n));
    }
    co_return all;
}

awaitable<void> note_code(awaitable<void> what, std::error_code &code) {
    try {
        co_await std::move(what);
    } catch (std::system_error const &e) {
        code = e.code();
    }
}
awaitable<void> try_dial(tcp_transport &from, multiaddr to) { auto const made = co_await from.dial(to); }
awaitable<void> try_read(tcp_connection &from) { co_await receive(from); }

awaitable<void> transfer() {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    for (std::string const host : {"/ip4/127.0.0.1", "/ip6/::1"}) {
        auto listener = net.listen(at(host + "/tcp/0"));
        CHECK(listener.local_address().tcp_port().value() != 0);
        tcp_connection out = co_await net.dial(listener.local_address());
        tcp_connection in = co_await listener.accept();
        CHECK(in.remote_address() == out.local_address());
        CHECK(out.remote_address() == listener.local_address());
        std::vector<bytes> pieces;
        bytes expected;
        seeded_random random{4};
        constexpr std::size_t sizes[] = {1, 0, 100'000, 3, 5'000'000, 0, 17};
        for (std::size_t const size : sizes) {
            for (int copies = 0; copies < 5; ++copies) {
                bytes piece(size);
                random.fill(piece);
                append(expected, piece);
                pieces.push_back(std::move(piece));
            }
        }
        task_group sending{executor};
        sending.spawn(send_pieces(out, pieces));
        co_await in.wait_readable();
        bytes const got = co_await receive(in);
        co_await sending.join();
        CHECK(got == expected);
        // the other direction still works after the half-close
        bytes_view const answer = as_bytes("thanks");
        co_await in.write(answer);
        in.close();
        bytes const heard = co_await receive(out);
        CHECK(to_text(heard) == "thanks");
    }
}

awaitable<void> failures() {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    auto listener = net.listen(at("/ip4/127.0.0.1/tcp/0"));
    auto const address = listener.local_address();
    std::error_code code;
    try {
        auto const second = net.listen(address);
    } catch (error const &e) {
        code = e.code();
        CHECK(e.context() == address.to_string());
    }
    CHECK(code == errc::address_in_use);
    {
        tcp_connection out = co_await net.dial(address);
        tcp_connection in = co_await listener.accept();
        out.reset();
        co_await note_code(try_read(in), code);
        CHECK(code == errc::reset);
    }
    {
        tcp_connection out = co_await net.dial(address);
        tcp_connection in = co_await listener.accept();
        co_await note_code(with_timeout(try_read(in), std::chrono::milliseconds{5}), code); // cancelled in the middle of a wait
        CHECK(code == errc::timed_out);
        in.close();
        co_await note_code(try_read(in), code);
        CHECK(code == condition::closed);
    }
    listener.close();
    co_await note_code(try_dial(net, address), code);
    CHECK(code == errc::refused);
    for (auto const *bad : {"/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/0"}) {
        co_await note_code(try_dial(net, at(bad)), code);
        CHECK(code == errc::invalid_address);
    }
    CHECK(net.can_dial(at("/dns4/example.org/tcp/1")));
    CHECK_FALSE(net.can_dial(at("/ip4/127.0.0.1/tcp/1/ws")));
}

awaitable<void> names() {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    auto listener = net.listen(at("/ip4/127.0.0.1/tcp/0"));
    multiaddr const named = at("/dns4/localhost/tcp/" + std::to_string(*listener.local_address().tcp_port()));
    tcp_connection out = co_await net.dial(named);
    CHECK(out.remote_address().ip_text() == "127.0.0.1");
}

} // namespace

TEST_CASE("tcp: pieces arrive whole and in order, over IPv4 and IPv6; one direction ends before the other") { testing::run_test(transfer); }
TEST_CASE("tcp: failures say what happened") { testing::run_test(failures); }
TEST_CASE("tcp: a dial that is cancelled in any turn of the event loop tells its caller, also where it has just succeeded") {
    asio::io_context io;
    auto const listener = tcp_transport{io.get_executor()}.listen(at("/ip4/127.0.0.1/tcp/0"));
    auto const dial_and_read = [](tcp_transport net, multiaddr to) -> awaitable<void> {
        tcp_connection made = co_await net.dial(to);
        co_await receive(made); // for ever
    };
    int waited = 0;
    for (int turns = 0; turns < 40; ++turns) {
        CAPTURE(turns);
        asio::cancellation_signal cancel;
        bool ended = false;
        asio::co_spawn(io, dial_and_read(tcp_transport{io.get_executor()}, listener.local_address()),
                       asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; }));
        for (int i = 0; i < turns; ++i) waited += io.poll_one() == 0;
        cancel.emit(asio::cancellation_type::terminal);
        for (int i = 0; i < 1000 && !ended; ++i) io.run_one_for(std::chrono::milliseconds{1});
        CHECK(ended);
        io.restart();
    }
    CHECK(waited > 0); // the last of them were cancelled while they read
}

TEST_CASE("tcp: names are resolved") { testing::run_test(names); }

#ifndef _WIN32
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// The name server of `tarpit.test`: it does not answer until it is let.
class tarpit {
  public:
    static tarpit &instance() {
        static tarpit one;
        return one;
    }
    void close() {
        std::lock_guard const lock{mutex_};
        answers_ = false;
        asked_ = 0;
    }
    void answer() {
        std::lock_guard const lock{mutex_};
        answers_ = true;
        changed_.notify_all();
    }
    int asked() {
        std::lock_guard const lock{mutex_};
        return asked_;
    }
    void look_up() {
        std::unique_lock lock{mutex_};
        ++asked_;
        changed_.wait_for(lock, std::chrono::seconds{20}, [this] { return answers_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool answers_ = true;
    int asked_ = 0;
};

/// What `crowd.test` stands for: the same IPv4 address seven times, and one of IPv6.
struct crowd {
    static constexpr std::size_t size = 8;
    explicit crowd(std::uint16_t port) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        six.sin6_addr = in6addr_loopback;
        for (std::size_t i = 0; i < size; ++i) {
            bool const last = i + 1 == size;
            entries[i].ai_family = last ? AF_INET6 : AF_INET;
            entries[i].ai_socktype = SOCK_STREAM;
            entries[i].ai_addr = last ? reinterpret_cast<sockaddr *>(&six) : reinterpret_cast<sockaddr *>(&four);
            entries[i].ai_addrlen = last ? sizeof six : sizeof four;
            entries[i].ai_next = last ? nullptr : &entries[i + 1];
        }
    }
    std::array<addrinfo, size> entries{};
    sockaddr_in four{};
    sockaddr_in6 six{};
};
std::unique_ptr<crowd> crowd_now;

} // namespace

// The system's look-up, which the program's own takes the place of.
extern "C" int getaddrinfo(char const *name, char const *service, addrinfo const *hints, addrinfo **found) {
    if (name && std::string_view{name} == "tarpit.test") {
        tarpit::instance().look_up();
        return EAI_AGAIN;
    }
    if (name && std::string_view{name} == "crowd.test") {
        crowd_now = std::make_unique<crowd>(static_cast<std::uint16_t>(std::atoi(service)));
        *found = crowd_now->entries.data();
        return 0;
    }
    static auto const real = reinterpret_cast<int (*)(char const *, char const *, addrinfo const *, addrinfo **)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(name, service, hints, found);
}
extern "C" void freeaddrinfo(addrinfo *list) {
    if (crowd_now && list == crowd_now->entries.data()) return crowd_now.reset();
    static auto const real = reinterpret_cast<void (*)(addrinfo *)>(::dlsym(RTLD_NEXT, "freeaddrinfo"));
    real(list);
}

namespace {

/// While it lives, the name server of `tarpit.test` does not answer.
struct silence {
    silence() { tarpit::instance().close(); }
    ~silence() { tarpit::instance().answer(); }
};

awaitable<void> dial_tarpit(tcp_transport &net, int &timed_out, milliseconds limit) {
    std::error_code code;
    multiaddr const address = at("/dns4/tarpit.test/tcp/4001");
    co_await note_code(with_timeout(try_dial(net, address), limit), code);
    timed_out += code == errc::timed_out;
}

awaitable<void> tarpit_is_asked() {
    while (tarpit::instance().asked() == 0) co_await sleep_for(milliseconds{5});
}

awaitable<void> deadlines_hold() {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    int timed_out = 0;
    {
        silence const quiet;
        task_group dials{executor};
        for (int i = 0; i < 3; ++i) dials.spawn(dial_tarpit(net, timed_out, milliseconds{50 + 10 * i}));
        co_await dials.join();
        CHECK(timed_out == 3);
    }
    co_await names(); // and the answers that came too late did no harm
    CHECK(tarpit::instance().asked() == 1); // what had been given up before it began was not looked up at all
}

struct stack {
    using transport = tcp_transport;
    template <class Raw> using secure = noise<Raw>;
    template <class Channel> using muxer = yamux<Channel>;
};

awaitable<void> stops_at_once() {
    auto const executor = co_await asio::this_coro::executor;
    identity const self = identity::generate(), other = identity::generate();
    swarm net{executor, self, swarm_options(), [](peer_id const &) { return std::vector{at("/dns4/tarpit.test/tcp/4001")}; }};
    net.add(std::make_unique<stack_connector<stack>>(tcp_transport{executor}, self));
    net.start();
    silence const quiet;
    std::error_code code;
    task_group dials{executor};
    dials.spawn(note_code(net.connect(other.id()), code));
    co_await tarpit_is_asked();
    auto const start = steady_clock::now();
    co_await net.stop();
    co_await dials.join();
    CHECK(steady_clock::now() - start < std::chrono::seconds{10}); // the dial's limit is 15 s, the look-up's 20 s
    CHECK(code == errc::stopped);
}

awaitable<void> staggered() {
    auto const executor = co_await asio::this_coro::executor;
    tcp_transport net{executor};
    auto listener = net.listen(at("/ip6/::1/tcp/0"));
    auto const port = *listener.local_address().tcp_port();
    // Nothing gets through to a listener that accepts nobody, once its queue is full.
    asio::ip::tcp::endpoint const hole{asio::ip::address_v4::loopback(), port};
    asio::ip::tcp::acceptor deaf{executor, hole.protocol()};
    deaf.bind(hole);
    deaf.listen(0);
    std::vector<asio::ip::tcp::socket> queued;
    for (int i = 0; i < 4; ++i) {
        queued.emplace_back(executor, hole.protocol());
        queued.back().async_connect(hole, [](asio::error_code) {});
    }
    co_await sleep_for(milliseconds{100});
    auto const start = steady_clock::now();
    tcp_connection const made = co_await net.dial(at("/dns/crowd.test/tcp/" + std::to_string(port)));
    auto const took = steady_clock::now() - start;
    CHECK(made.remote_address() == listener.local_address());
    CHECK(took >= tcp_transport::stagger);
    CHECK(took < 6 * tcp_transport::stagger); // one address led nowhere, not seven
}

} // namespace

TEST_CASE("T15: tcp: a name server that does not answer holds no dial beyond its limit, and no other dial") { testing::run_test(deadlines_hold); }
TEST_CASE("T15: tcp: a name server that does not answer does not hold up a swarm's stop") { testing::run_test(stops_at_once); }
TEST_CASE("tcp: a name's addresses are tried staggered, and the two families by turns") { testing::run_test(staggered); }
TEST_CASE("tcp: a context that is destroyed while a name is looked up leaves nothing behind") {
    silence const quiet;
    auto context = std::make_unique<asio::io_context>(1);
    auto const net = std::make_unique<tcp_transport>(context->get_executor());
    bool ended = false;
    asio::co_spawn(*context, try_dial(*net, at("/dns4/tarpit.test/tcp/4001")), [&](std::exception_ptr) { ended = true; });
    while (tarpit::instance().asked() == 0) context->run_for(milliseconds{5});
    std::thread late{[] {
        std::this_thread::sleep_for(milliseconds{50});
        tarpit::instance().answer();
    }};
    context.reset();
    late.join();
    CHECK_FALSE(ended);
}
#endif

} // namespace tcp_test
