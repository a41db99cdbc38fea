// commands.hpp: from a line to an answer: what may run side by side, and in which order it is answered. It knows nothing of
// chats, but that some commands are about a peer, a group or the own files.
#pragma once

#include "console.hpp"

#include <gigi/core/json.hpp>
#include <gigi/core/task_group.hpp>
#include <gigi/core/timeout.hpp>

#include <deque>
#include <memory>
#include <span>

/// What a command has to say: to programs, and to people.
struct answer {
    gigi::json_object members = {};
    strings lines = {};
};

/// Runs the commands of `Owner`, which also has `void print(strings const &)` for the answers and `bool knows(std::string const &)`
/// for the names of peers. For one strand.
template <class Owner> class command_queue {
  public:
    struct command {
        std::string_view name, alias, parameters, help;
        gigi::awaitable<answer> (Owner::*run)(strings const &);

        std::string usage() const { return std::string{name} + (parameters.empty() ? "" : " ") + std::string{parameters}; }
    };

    command_queue(Owner &owner, gigi::any_io_executor const &executor, std::span<command const> commands, bool for_programs)
        : owner_{owner}, commands_{commands}, for_programs_{for_programs}, changed_{executor}, running_{executor} {}

    /// Begins what a line says. Returns at once, unless very much is under way.
    gigi::awaitable<void> take(std::string const &line) {
        begin(line);
        while (tickets_.size() >= most) co_await changed_.wait();
    }

    /// Waits for the answers; what has none in time is answered as cancelled.
    gigi::awaitable<void> finish(gigi::duration limit) {
        try {
            co_await gigi::with_timeout(all_answered(), limit);
        } catch (std::system_error const &) {
        }
        running_.cancel();
        co_await running_.join();
    }

    /// What the owner knows may have changed.
    void reconsider() { changed_.notify_all(); }

  private:
    static constexpr std::size_t most = 64; ///< commands without an answer; then the input waits

    /// A command that was given, until its answer is printed.
    struct ticket {
        std::string name;
        command const *what = nullptr;
        strings arguments;
        std::string topic;
        bool done = false;
        strings output;
    };

    void begin(std::string const &line) {
        auto const words = split(line);
        if (words.empty()) return;
        auto const t = tickets_.emplace_back(std::make_shared<ticket>());
        auto const called_so = [&](command const &c) { return c.name == words[0].text || c.alias == words[0].text; };
        auto const found = std::ranges::find_if(commands_, called_so);
        t->name = found != commands_.end() ? found->name : words[0].text;
        if (line.size() > console::longest_line) return refuse(*t, gigi::errc::invalid_argument, "the line is too long");
        if (found == commands_.end()) return refuse(*t, gigi::errc::invalid_argument, "there is no such command: try help");
        t->what = &*found;
        auto arguments = arguments_of(line, found->parameters);
        if (!arguments) return refuse(*t, gigi::errc::invalid_argument, "usage: " + found->usage());
        t->arguments = std::move(*arguments);
        t->topic = topic_of(*found, t->arguments);
        running_.spawn(execute(t));
    }

    gigi::awaitable<void> execute(std::shared_ptr<ticket> t) {
        try {
            while (must_wait(*t)) co_await changed_.wait();
            auto const run = t->what->run;
            auto const a = co_await (owner_.*run)(t->arguments);
            auto const line = gigi::json_object{}.add("command", t->name).add("ok", true).add_all(a.members).text();
            settle(*t, for_programs_ ? strings{line} : a.lines);
        } catch (std::system_error const &e) {
            refuse(*t, e.code(), e.what());
        } catch (std::exception const &e) {
            refuse(*t, gigi::errc::io_error, e.what());
        }
    }

    /// What a command is about. It waits for earlier ones about the same: messages arrive in the order in which they were
    /// given, and what was joined can be written to.
    static std::string topic_of(command const &c, strings const &arguments) {
        if (c.name == "groups") return "group ";
        if (c.parameters.starts_with("<group>")) return "group " + arguments[0];
        if (c.name == "share" || c.name == "unshare" || (c.name == "list-files" && arguments.empty())) return "files";
        return c.parameters.find("nickname") == 1 && c.name != "connect" ? "peer " + arguments[0] : "";
    }

    /// Whether one topic is the other, or has it in it: "group " all groups, "peer bob" also "peer bob~abcd", though not "peer bobby".
    static bool includes(std::string const &one, std::string const &other) {
        if (one.empty() || !other.starts_with(one)) return false;
        return one.ends_with(' ') || other.size() == one.size() || other[one.size()] == '~';
    }

    bool must_wait(ticket const &t) const {
        for (auto const &earlier : tickets_) {
            if (earlier.get() == &t) return false;
            if (earlier->done) continue;
            if (includes(t.topic, earlier->topic) || includes(earlier->topic, t.topic)) return true;
            // The peer may be the one that is being connected to.
            if (earlier->name == "connect" && t.topic.starts_with("peer ") && !owner_.knows(t.arguments[0])) return true;
        }
        return false;
    }

    void refuse(ticket &t, std::error_code code, std::string const &why) {
        gigi::json_object line;
        line.add("command", t.name).add("ok", false).add("error", code).add("message", why);
        settle(t, {for_programs_ ? line.text() : t.name + ": " + why});
    }
    /// Programs get the answers in the order of their commands, people at once.
    void settle(ticket &t, strings lines) {
        t.done = true;
        t.output = std::move(lines);
        for (auto i = tickets_.begin(); i != tickets_.end();) {
            auto const &next = **i;
            if (!next.done && for_programs_) break;
            if (next.done) owner_.print(next.output);
            i = next.done ? tickets_.erase(i) : i + 1;
        }
        changed_.notify_all();
    }

    gigi::awaitable<void> all_answered() {
        while (!tickets_.empty()) co_await changed_.wait();
    }

    Owner &owner_;
    std::span<command const> commands_;
    bool for_programs_;
    gigi::async_condition changed_; ///< notified at every answer
    gigi::task_group running_;
    std::deque<std::shared_ptr<ticket>> tickets_;
};
