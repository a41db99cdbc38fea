// chat.cpp: a chat between the people on a network, with groups, images and files, in one file.
//
//   ./chat --nickname alice                      # talks to everybody else who runs ./chat on this network
//   ./chat --nickname bob --connect /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…        # and beyond it
//   ./chat --json                                # for programs: commands on stdin, JSON lines on stdout
//
// The parts, in this order: what the command line says; what people read of an event; and the chat itself, a table of
// commands over a gigi::node with a function for each. console.hpp has the prompt, commands.hpp the order of the answers;
// neither knows anything of nodes.
#include "commands.hpp"
#include "console.hpp"

#include <gigi/core/json.hpp>
#include <gigi/node.hpp>

#include <CLI/CLI.hpp>
#include <asio/signal_set.hpp>

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>

#include <clocale>
#include <csignal>
#include <cstring>
#include <iostream>
#include <set>
#include <type_traits>

namespace fs = std::filesystem;
using gigi::awaitable;
using gigi::errc;
using json = gigi::json_object;
using namespace std::chrono_literals;

// ---- the command line ------------------------------------------------------------------------------------------------

struct settings {
    gigi::node_options node;
    strings connect;
    gigi::log_level log = gigi::log_level::warning;
    bool json = false;
};

std::string login_name() {
    auto const *const entry = ::getpwuid(::getuid());
    return entry && *entry->pw_name ? entry->pw_name : "";
}

bool names_peer(std::string const &address) { return address.find("/p2p/") != address.npos; }

/// Makes this chat the only one that uses a share list, as long as the process runs. @return why it cannot be; nothing where it is
std::string reserve(fs::path const &share_list) {
    auto const lock = fs::path{share_list}.replace_extension(".lock");
    int const file = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return "cannot make " + lock.string() + " (" + std::strerror(errno) + ")";
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) return "another chat uses " + share_list.string();
    return {};
}

settings read_settings(int argc, char **argv) {
    settings s;
    std::uint16_t port = 0;
    std::string level = "warning";
    bool no_mdns = false;
    s.node.nickname = login_name();
    s.node.share_list = "shared.json";

    CLI::App app{"A chat between the people on a network, with groups, images and files."};
    app.add_option("--port", port, "TCP port to listen on; 0 takes any free one")->capture_default_str();
    app.add_option("--nickname", s.node.nickname, "what other people see")->capture_default_str();
    app.add_option("--shared", s.node.share_list, "the list of the files that you share")->capture_default_str();
    app.add_option("--output", s.node.output_directory, "where downloads and images go")->capture_default_str();
    app.add_option("--identity", s.node.identity_file,
                   "your key, by which others know you again; made where there is none. The default is beside the share "
                   "list, called like it but .key. A second chat with the same list gets a new key and forgets its shares");
    app.add_option("--connect", s.connect, "a multiaddr to connect to; may be repeated")->allow_extra_args(false);
    app.add_option("--interface", s.node.interface_name, "use this network interface only");
    app.add_flag("--no-mdns", no_mdns, "do not look for people on the local network");
    app.add_option("--log", level, "trace, debug, info, warning, error or off: what to log on stderr")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "off"}))
        ->capture_default_str();
    app.add_flag("--json", s.json, "for programs: commands on stdin, JSON lines on stdout");
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const &e) {
        std::exit(app.exit(e) == 0 ? 0 : 2);
    }

    while (name(s.log) != level) s.log = static_cast<gigi::log_level>((static_cast<int>(s.log) + 1) % 6);
    s.node.listen = {"/ip4/0.0.0.0/tcp/" + std::to_string(port), "/ip6/::/tcp/" + std::to_string(port)};
    s.node.mdns = !no_mdns;
    if (s.json) s.node.output_directory = fs::absolute(s.node.output_directory); // a program may be in another folder
    std::ranges::copy_if(s.connect, std::back_inserter(s.node.bootstrap), names_peer); // the node keeps these connected
    if (auto const why = reserve(s.node.share_list); !why.empty()) {
        std::cerr << "chat: " + gigi::printable(why) + ": this one " + (s.node.identity_file.empty() ? "has a new key, and " : "") + "forgets at its end what it shares\n";
        s.node.share_list.clear();
    } else if (s.node.identity_file.empty()) {
        s.node.identity_file = fs::path{s.node.share_list}.replace_extension(".key");
    }
    return s;
}

// ---- what people read ------------------------------------------------------------------------------------------------

using event = gigi::event;

/// The nickname in an event or an info; "~abcd" for a peer without one.
std::string who(auto const &about) { return about.nickname.empty() ? "~" + about.peer.short_string() : about.nickname; }

std::string reachable_at(gigi::multiaddr const &address) {
    return (address.is_loopback() ? "only this computer can reach you, at " : "others can reach you at ") + address.to_string();
}

/// A line for each event that people want to see, nothing for the others.
struct in_words {
    std::string operator()(event::listening const &e) const {
        return e.addresses.empty() ? "others cannot reach you: there is no network" : reachable_at(e.addresses.front());
    }
    std::string operator()(event::peer_identified const &e) const { return who(e) + " is here"; }
    std::string operator()(event::peer_disconnected const &e) const { return who(e) + " is gone"; }
    std::string operator()(event::nickname_changed const &e) const { return e.previous + " is now called " + e.nickname; }
    std::string operator()(event::nickname_conflict const &e) const {
        return "beware: " + who(e) + " is ~" + e.peer.short_string() + " now, and not ~" + e.pinned.short_string();
    }
    std::string operator()(event::direct_message const &e) const { return who(e) + ": " + e.text; }
    std::string operator()(event::image_received const &e) const { return who(e) + " shows you " + e.path.string(); }
    std::string operator()(event::bytes_received const &e) const { return who(e) + " sent " + size_text(e.bytes.size()); }
    std::string operator()(event::group_peer_joined const &e) const { return "[" + e.group + "] " + who(e) + " is here"; }
    std::string operator()(event::group_peer_left const &e) const { return "[" + e.group + "] " + who(e) + " left"; }
    std::string operator()(event::group_message const &e) const { return "[" + e.group + "] " + who(e) + ": " + e.text; }
    std::string operator()(event::group_image const &e) const {
        return "[" + e.group + "] " + who(e) + " shows " + e.path.string();
    }
    std::string operator()(event::file_offered const &e) const {
        return who(e) + " offers " + e.name + ", " + size_text(e.size) + ": download \"" + who(e) + "\" " + e.code;
    }
    std::string operator()(event::download_finished const &e) const { return "downloaded " + e.path.string(); }
    std::string operator()(event::download_failed const &e) const { return "no download of " + e.code + ": " + e.message; }
    std::string operator()(event::background_error const &e) const { return e.where + ": " + e.message; }
    std::string operator()(event::events_dropped const &e) const { return std::to_string(e.count) + " events came too fast"; }
    std::string operator()(auto const &) const { return {}; }
};

// ---- the chat --------------------------------------------------------------------------------------------------------

class chat {
  public:
    chat(asio::io_context &io, settings s)
        : settings_{std::move(s)}, node_{io.get_executor(), settings_.node}, events_{node_.subscribe()},
          console_{node_.get_executor(), settings_.json, all_parameters()}, changed_{node_.get_executor()},
          signals_{node_.get_executor(), SIGINT, SIGTERM, SIGHUP}, background_{node_.get_executor()},
          queue_{*this, node_.get_executor(), commands(), settings_.json} {
        gigi::set_log(settings_.log, [this](gigi::log_level level, std::string_view component, std::string_view text) {
            report(std::string{name(level)} + " " + std::string{component} + ": " + std::string{text});
        });
    }
    ~chat() { gigi::set_log(gigi::log_level::off, nullptr); }

    gigi::any_io_executor get_executor() { return node_.get_executor(); }

    /// Prints an answer.
    void print(strings const &lines) {
        if (console_.is_terminal()) update_vocabulary(); // before the prompt comes back
        for (auto const &line : lines) console_.print(line);
    }

    /// Runs until the input ends, `quit`, or a signal.
    awaitable<void> run() {
        co_await node_.start();
        signals_.async_wait([this](std::error_code code, int) {
            signals_.clear(); // the next one ends the process at once
            if (!code) stop();
        });
        background_.spawn(show_events());
        for (auto const &address : settings_.connect) background_.spawn(dial_given(address));
        if (console_.is_terminal()) background_.spawn(keep_vocabulary());
        background_.spawn(read_commands());
        while (!stopping_) co_await changed_.wait();

        console_.close();
        co_await queue_.finish(5s);
        co_await node_.stop();
        signals_.cancel();
        background_.cancel();
        co_await background_.join();
    }

    /// Whether a nickname or an id means somebody.
    bool knows(std::string const &peer) const {
        try {
            return (void)node_.resolve(peer), true;
        } catch (std::system_error const &) {
            return false;
        }
    }

  private:
    using command = command_queue<chat>::command;

    /// Every command: its name, its short name, its parameters, what it does, and the function that does it.
    static std::span<command const> commands() {
        static constexpr command all[] = {
            {"peers", "p", "", "who is here", &chat::peers},
            {"connect", "c", "<nickname|multiaddr>", "connect to somebody who was not found by himself", &chat::connect},
            {"disconnect", "dc", "<nickname>", "close the connection", &chat::disconnect},
            {"send", "s", "<nickname> <message>", "say something to one person", &chat::send},
            {"send-image", "si", "<nickname> <path>", "show an image to one person", &chat::send_image},
            {"join", "j", "<group>", "enter a group, or open a new one", &chat::join},
            {"leave", "l", "<group>", "leave a group", &chat::leave},
            {"groups", "g", "", "the groups that you are in, and who else is", &chat::groups},
            {"send-group", "sg", "<group> <message>", "say something to a group", &chat::send_group},
            {"send-group-image", "sgi", "<group> <path>", "show an image to a group", &chat::send_group_image},
            {"share", "sh", "<path>", "let others download a file; gives its code", &chat::share},
            {"unshare", "us", "<code>", "take that back", &chat::unshare},
            {"list-files", "ls", "[nickname]", "what somebody shares, or you do", &chat::list_files},
            {"download", "d", "<nickname> <code>", "fetch a file in the background", &chat::download},
            {"status", "st", "", "how you are doing", &chat::status},
            {"help", "h", "", "this list", &chat::help},
            {"quit", "q", "", "say goodbye", &chat::quit},
        };
        return all;
    }

    awaitable<answer> peers(strings const &) {
        answer a{json().add("peers", node_.peers())};
        for (auto const &p : node_.peers())
            a.lines.push_back(who(p) + " (~" + p.peer.short_string() + (p.connected ? ")" : "), not connected"));
        if (a.lines.empty()) a.lines.push_back("nobody is here yet");
        co_return a;
    }

    awaitable<answer> connect(strings const &arguments) {
        auto const peer = co_await node_.dial(arguments[0]);
        try { // a moment, so that the next command can use the nickname
            co_await gigi::with_timeout(until_identified(peer), 2s);
        } catch (std::system_error const &) {
        }
        auto const nickname = node_.nickname_of(peer);
        strings const lines{"connected to " + (nickname.empty() ? peer.to_string() : nickname)};
        co_return answer{json().add("peer", peer).add("nickname", nickname), lines};
    }

    awaitable<answer> disconnect(strings const &arguments) {
        auto const peer = node_.resolve(arguments[0]);
        co_await node_.disconnect(peer);
        co_return answer{json().add("peer", peer)};
    }

    awaitable<answer> send(strings const &arguments) {
        auto const receipt = co_await node_.send(arguments[0], arguments[1]);
        co_return answer{json().add("id", receipt.id)};
    }

    awaitable<answer> send_image(strings const &arguments) {
        auto const receipt = co_await node_.send_image(arguments[0], arguments[1]);
        co_return answer{json().add("id", receipt.id), {arguments[0] + " has the image"}};
    }

    awaitable<answer> join(strings const &arguments) {
        co_await node_.join(arguments[0]);
        co_return answer{json().add("group", arguments[0]), {"you are in [" + arguments[0] + "]"}};
    }

    awaitable<answer> leave(strings const &arguments) {
        co_await node_.leave(arguments[0]);
        co_return answer{json().add("group", arguments[0]), {"you left [" + arguments[0] + "]"}};
    }

    awaitable<answer> groups(strings const &) {
        answer a{json().add("groups", node_.groups())};
        for (auto const &g : node_.groups()) {
            auto &line = a.lines.emplace_back("[" + g.group + "] you");
            for (auto const &p : g.members) line += ", " + who(p);
        }
        if (a.lines.empty()) a.lines.push_back("you are in no group: join one");
        co_return a;
    }

    awaitable<answer> send_group(strings const &arguments) {
        co_return answer{json().add("id", node_.publish(arguments[0], arguments[1]))};
    }

    awaitable<answer> send_group_image(strings const &arguments) {
        auto const code = co_await node_.publish_image(arguments[0], arguments[1]);
        co_return answer{json().add("code", code), {"[" + arguments[0] + "] has been told of the image"}};
    }

    awaitable<answer> share(strings const &arguments) {
        auto const code = co_await node_.share(arguments[0]);
        co_return answer{json().add("code", code), {"others get it with: download \"" + node_.nickname() + "\" " + code}};
    }

    awaitable<answer> unshare(strings const &arguments) {
        co_await node_.unshare(arguments[0]);
        co_return answer{json().add("code", arguments[0])};
    }

    awaitable<answer> list_files(strings const &arguments) {
        std::vector<gigi::file_info> files;
        if (arguments.empty())
            for (auto const &file : node_.shared_files()) files.push_back(file);
        else
            files = co_await node_.list_files(arguments[0]);
        answer a{json().add("files", files)};
        for (auto const &file : files) a.lines.push_back(file.code + "  " + size_text(file.size) + "  " + file.name);
        for (auto const &file : files) remember_code(file.code);
        if (files.empty()) a.lines.push_back("no files are shared");
        co_return a;
    }

    awaitable<answer> download(strings const &arguments) {
        co_return answer{json().add("id", node_.start_download(arguments[0], arguments[1]))};
    }

    awaitable<answer> status(strings const &nothing) {
        std::vector<event::download_progress> transfers;
        for (auto const &[id, t] : transfers_) transfers.push_back(t);
        answer a{json().add("peer", node_.id()).add("nickname", node_.nickname()).add("addresses", node_.addresses())};
        a.members.add("peers", node_.peers()).add("groups", node_.groups());
        a.members.add("transfers", transfers).add("stats", node_.stats());
        a.lines.push_back("you are " + node_.nickname() + " (" + node_.id().to_string() + ")");
        for (auto const &address : node_.addresses()) a.lines.push_back(reachable_at(address));
        auto const present = co_await peers(nothing);
        auto const joined = co_await groups(nothing);
        a.lines.insert(a.lines.end(), present.lines.begin(), present.lines.end());
        a.lines.insert(a.lines.end(), joined.lines.begin(), joined.lines.end());
        for (auto const &t : transfers)
            a.lines.push_back("fetching " + t.code + ": " + size_text(t.bytes) + " of " + size_text(t.total));
        auto const now = node_.stats();
        a.lines.push_back(std::to_string(now.connections) + " connections, " + std::to_string(now.links.streams) + " streams, " +
                          size_text(now.links.mux.bytes_sent) + " sent, " + size_text(now.links.mux.bytes_received) + " received");
        now.for_each_member([&a](std::string_view name, auto const &number) {
            if constexpr (std::is_integral_v<std::decay_t<decltype(number)>>)
                if (number > 0 && (name.ends_with("refused") || name.ends_with("dropped") || name.ends_with("overrun")))
                    a.lines.push_back(std::string{name} + ": " + std::to_string(number));
        });
        co_return a;
    }

    awaitable<answer> help(strings const &) {
        answer a;
        strings usages;
        for (auto const &c : commands()) {
            auto &line = a.lines.emplace_back(c.alias);
            line.resize(5, ' ');
            line += usages.emplace_back(c.usage());
            line.resize(std::max<std::size_t>(line.size() + 2, 38), ' ');
            line += c.help;
        }
        a.lines.push_back("Quotes keep words together: send \"Mary Ann\" hello. The tab key completes words.");
        a.members.add("commands", usages);
        co_return a;
    }

    awaitable<answer> quit(strings const &) {
        stop();
        co_return answer{};
    }

    // What happens without a command.

    awaitable<void> read_commands() {
        console_.open(settings_.json ? "" : node_.nickname() + "> ");
        try {
            while (!stopping_) {
                auto const line = co_await console_.next_line();
                co_await queue_.take(line);
            }
        } catch (std::system_error const &e) {
            if (e.code() != errc::closed) throw;
        }
        stop(); // the input has ended
    }

    awaitable<void> until_identified(gigi::peer_id peer) {
        while (!identified_.contains(peer)) co_await changed_.wait();
    }

    void stop() {
        stopping_ = true;
        changed_.notify_all();
    }

    awaitable<void> show_events() {
        try {
            for (;;) {
                auto const e = co_await events_.next();
                remember(e);
                std::visit([this](auto const &what) { show(what); }, static_cast<gigi::events::any const &>(e));
            }
        } catch (std::system_error const &e) {
            if (e.code() != errc::stopped) throw;
        }
    }

    template <class Event> void show(Event const &e) {
        if (settings_.json) {
            json line;
            line.add("event", e.event_name);
            e.for_each_member([&line](std::string_view name, auto const &member) { line.add(name, member); });
            console_.print(line.text());
        } else if (auto const text = in_words{}(e); !text.empty()) {
            console_.print(text);
        }
        if (console_.broken()) stop(); // nobody reads any more
    }

    void remember(event const &e) {
        if (auto const *const here = std::get_if<event::peer_identified>(&e)) identified_.insert(here->peer);
        if (auto const *const gone = std::get_if<event::peer_disconnected>(&e)) identified_.erase(gone->peer);
        if (auto const *const offer = std::get_if<event::file_offered>(&e)) remember_code(offer->code);
        if (auto const *const file = std::get_if<event::file_shared>(&e)) remember_code(file->code);
        if (auto const *const news = std::get_if<event::download_progress>(&e)) transfers_[news->id] = *news;
        if (auto const *const end = std::get_if<event::download_finished>(&e)) transfers_.erase(end->id);
        if (auto const *const end = std::get_if<event::download_failed>(&e)) transfers_.erase(end->id);
        changed_.notify_all();
        queue_.reconsider();
        if (!console_.is_terminal()) return;
        vocabulary_stale_ = true;
        double bytes = 0, total = 0, rate = 0;
        for (auto const &[id, t] : transfers_)
            bytes += static_cast<double>(t.bytes), total += static_cast<double>(t.total), rate += t.rate;
        console_.status(progress_bar(bytes, total, rate));
    }
    void remember_code(std::string const &code) {
        if (codes_.size() < 1000 && gigi::share_code::parse(code)) codes_.insert(code);
    }

    /// Dials an address of the command line.
    awaitable<void> dial_given(std::string address) {
        try {
            co_await node_.dial(address);
        } catch (std::system_error const &e) {
            if (!stopping_) report(address + ": " + e.what() + (names_peer(address) ? "; it is tried again" : ""));
        }
    }

    /// Says something that is neither an event nor an answer. Any thread may.
    void report(std::string const &text) {
        if (console_.is_terminal()) return console_.print(text);
        std::cerr << gigi::printable(text) + '\n';
    }

    static grammar all_parameters() {
        grammar all;
        for (auto const &c : commands()) all.emplace(c.name, parameter_names(c.parameters));
        return all;
    }
    /// Follows the events, though no faster than people type: there may be thousands of either.
    awaitable<void> keep_vocabulary() {
        for (;;) {
            while (!vocabulary_stale_) co_await changed_.wait();
            vocabulary_stale_ = false;
            update_vocabulary();
            co_await gigi::sleep_for(200ms);
        }
    }
    void update_vocabulary() {
        vocabulary words;
        for (auto const &p : node_.peers()) words["nickname"].push_back(p.nickname);
        for (auto const &g : node_.groups()) words["group"].push_back(g.group);
        words["code"].assign(codes_.begin(), codes_.end());
        console_.complete_with(std::move(words));
    }

    settings const settings_;
    gigi::node node_;
    gigi::event_reader events_;
    console console_;
    gigi::async_condition changed_; ///< notified at every event, answer and at the end
    asio::signal_set signals_;
    gigi::task_group background_;
    command_queue<chat> queue_;
    std::map<std::uint64_t, event::download_progress> transfers_; ///< by their id
    std::set<gigi::peer_id> identified_;
    std::set<std::string> codes_;
    bool vocabulary_stale_ = false;
    bool stopping_ = false;
};

int main(int argc, char **argv) {
    std::setlocale(LC_CTYPE, "");
    std::signal(SIGPIPE, SIG_IGN);
    auto const s = read_settings(argc, argv);
    try {
        asio::io_context io;
        chat c{io, s};
        std::exception_ptr failure;
        asio::co_spawn(c.get_executor(), c.run(), [&](std::exception_ptr e) { failure = e; });
        io.run();
        if (failure) std::rethrow_exception(failure);
    } catch (std::exception const &e) {
        std::cerr << "chat: " + gigi::printable(e.what()) + '\n';
        return 1;
    }
}
