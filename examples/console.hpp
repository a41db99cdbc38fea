// console.hpp: a terminal's prompt that survives incoming messages, or a plain stream of lines. It knows nothing of chats.
//
// With libedit (CHAT_WITH_LIBEDIT): history (up, ^R), completion (tab), all of emacs' keys.
#pragma once

#include <gigi/core/channel.hpp>
#include <gigi/core/text.hpp>

#ifdef CHAT_WITH_LIBEDIT
#include <histedit.h>
#endif
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cwchar>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

using strings = std::vector<std::string>;

// Words.

struct word {
    std::string text;
    std::size_t at; ///< where it begins in the line
};

/// Appends the text in the quotes that open at `at`; returns where they end, or `at` where they do not.
/// Double quotes know the escapes of JSON, so that a program can send any text.
inline std::size_t unquote(std::string_view line, std::size_t at, std::string &out) {
    std::string text;
    auto const hex = [&](std::size_t i) { // of \uXXXX, from the first digit on
        unsigned value = 0xfffd;
        if (i + 4 <= line.size()) std::from_chars(line.data() + i, line.data() + i + 4, value, 16);
        return value;
    };
    for (std::size_t i = at + 1; i < line.size(); ++i) {
        if (line[i] == line[at]) return out += text, i + 1;
        if (line[i] != '\\' || line[at] == '\'' || i + 1 == line.size()) {
            text += line[i];
        } else if (char const c = line[++i]; c == 'u') {
            char32_t code_point = hex(i + 1);
            i += 4;
            if (code_point >= 0xd800 && code_point < 0xdc00 && line.substr(std::min(i + 1, line.size()), 2) == "\\u") {
                code_point = 0x10000 + ((code_point & 0x3ff) << 10) + (hex(i + 3) & 0x3ff);
                i += 6;
            }
            gigi::append_utf8(text, code_point);
        } else {
            text += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
        }
    }
    return at;
}

/// Splits a line at its spaces, but not within quotes. A quote that does not end is an ordinary character: "'tis".
inline std::vector<word> split(std::string_view line) {
    constexpr std::string_view spaces = " \t\r";
    std::vector<word> words;
    for (std::size_t i = 0; (i = line.find_first_not_of(spaces, i)) != line.npos;) {
        word next{"", i};
        for (bool may_quote = true; i < line.size() && spaces.find(line[i]) == spaces.npos;) {
            std::size_t const end = may_quote && (line[i] == '"' || line[i] == '\'') ? unquote(line, i, next.text) : i;
            may_quote = end != i; // elsewhere in a word a quote is an apostrophe
            if (end == i && line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == ' ' || line[i + 1] == '"')) ++i;
            if (end == i || !may_quote) next.text += line[i++];
            else i = end;
        }
        words.push_back(std::move(next));
    }
    return words;
}

/// The names of the parameters in "<nickname> <message>" or "[nickname]".
inline strings parameter_names(std::string_view parameters) {
    strings names;
    for (std::size_t i; (i = parameters.find_first_of("<[")) != parameters.npos;) {
        parameters.remove_prefix(i + 1);
        names.emplace_back(parameters.substr(0, parameters.find_first_of("|>]")));
    }
    return names;
}

/// The arguments in a line, if they fit the parameters. A message or path at its end need not be in quotes.
inline std::optional<strings> arguments_of(std::string_view line, std::string_view parameters) {
    auto words = split(line);
    auto const names = parameter_names(parameters);
    if (words.size() > names.size() + 1 && !names.empty() && (names.back() == "message" || names.back() == "path")) {
        words.resize(names.size() + 1);
        auto &last = words.back();
        last.text = line.substr(last.at, line.find_last_not_of(" \t\r") + 1 - last.at); // as it is
    }
    auto const needed = static_cast<std::size_t>(std::ranges::count(parameters, '<'));
    if (words.size() < needed + 1 || words.size() > names.size() + 1) return std::nullopt;
    strings arguments;
    for (std::size_t i = 1; i < words.size(); ++i) arguments.push_back(std::move(words[i].text));
    return arguments;
}

// Numbers for people.

inline std::string size_text(double size) {
    constexpr char const *units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    for (; size >= 1000 && unit < 4; size /= 1024) ++unit;
    char text[32];
    std::snprintf(text, sizeof text, unit == 0 || size >= 100 ? "%.0f %s" : "%.1f %s", size, units[unit]);
    return text;
}
inline std::string size_text(std::uint64_t size) { return size_text(static_cast<double>(size)); }

/// "[##########----------] 50% 12.3 MiB/s 0:42 "; nothing where there is nothing to do.
inline std::string progress_bar(double done, double total, double rate) {
    if (total <= 0) return {};
    constexpr double width = 20;
    auto const part = std::min(1.0, done / total);
    auto const seconds = rate > 0 ? static_cast<long>((total - done) / rate) : 0;
    auto const filled = static_cast<std::size_t>(part * width);
    char tail[64];
    std::snprintf(tail, sizeof tail, "] %.0f%% %s/s %ld:%02ld ", part * 100, size_text(rate).c_str(), seconds / 60,
                  seconds % 60);
    return "[" + std::string(filled, '#') + std::string(static_cast<std::size_t>(width) - filled, '-') + tail;
}

// The terminal.

/// What can be completed, by the name of the parameter: nickname, group, code. Paths need no words.
using vocabulary = std::map<std::string, strings>;
/// The parameters of each command.
using grammar = std::map<std::string, strings>;

/// Reads lines on a thread of its own (not every stdin can be waited for beside sockets), and prints lines in such a way
/// that the one being typed survives. The mutex guards the terminal: the thread has it except while it waits for a key.
class console {
  public:
    static constexpr std::size_t longest_line = 4 << 20;

    console(gigi::any_io_executor executor, bool json, grammar commands)
        : executor_{executor}, lines_{executor, 1}, json_{json}, commands_{std::move(commands)},
          terminal_{!json && ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO)} {
        if (::pipe(wake_) != 0) throw std::system_error{errno, std::system_category(), "pipe"};
    }
    ~console() {
        close();
        for (int end : wake_) ::close(end);
    }

    void open(std::string const &name) {
        prompt_ = name_ = name;
        thread_ = std::thread{[this] { read_lines(); }};
    }
    /// Stops reading, and leaves the terminal as it was.
    void close() {
        if (!thread_.joinable()) return;
        closing_ = true; // whatever lines are there already
        [[maybe_unused]] auto const written = ::write(wake_[1], "", 1);
        taken_.release();
        thread_.join();
    }

    /// The next line of the input. @throws std::system_error with gigi::errc::closed at its end
    gigi::awaitable<std::string> next_line() {
        std::string line = co_await lines_.receive();
        taken_.release();
        co_return line;
    }

    /// Prints a line. Whatever strangers wrote into it: on a terminal it can only appear.
    void print(std::string_view line) {
        std::lock_guard const lock{mutex_};
        print_locked(line);
    }
    /// Shows a text before the prompt until the next call.
    void status(std::string const &text) {
        std::lock_guard const lock{mutex_};
        if (!typing_ || prompt_ == text + name_) return;
        erase_line();
        prompt_ = text + name_;
        draw_line();
    }
    void complete_with(vocabulary words) {
        std::lock_guard const lock{mutex_};
        words_ = std::move(words);
    }
    bool is_terminal() const noexcept { return terminal_; }
    /// Whether the program that read stdout is gone.
    bool broken() const noexcept { return std::ferror(stdout) != 0; }

  private:
    void read_lines() {
        if (terminal_) open_editor();
        std::string line;
        while (!closing_ && (terminal_ ? edit_line(line) : read_line(line))) {
            asio::post(executor_, [this, line] { (void)lines_.try_send(line); });
            taken_.acquire(); // one at a time: who types faster than the chat works waits
        }
        asio::post(executor_, [this] { lines_.close(); });
        if (terminal_) close_editor();
    }

    /// Waits for input. @return false where the chat closes, or nothing comes in time
    bool wait(int milliseconds = -1) const {
        pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {wake_[0], POLLIN, 0}};
        int ready = 0;
        while ((ready = ::poll(watched, 2, milliseconds)) < 0 && errno == EINTR) {
        }
        return ready != 0 && !(watched[1].revents & POLLIN);
    }

    bool read_line(std::string &line) {
        for (std::size_t seen = 0;;) {
            if (auto const end = input_.find('\n', seen); end != input_.npos) {
                line = input_.substr(0, end);
                input_.erase(0, end + 1);
                return true;
            }
            if (input_.size() > longest_line) input_.resize(longest_line + 1); // it will be refused: forget the rest
            seen = input_.size();
            char chunk[65536];
            if (!wait()) return false;
            auto const size = ::read(STDIN_FILENO, chunk, sizeof chunk);
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) return line = std::exchange(input_, {}), !line.empty();
            input_.append(chunk, static_cast<std::size_t>(size));
        }
    }

    void print_locked(std::string_view line) {
        erase_line();
        auto const text = json_ ? std::string{line} : gigi::printable(line);
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fputc('\n', stdout);
        draw_line();
    }

#ifdef CHAT_WITH_LIBEDIT
    void open_editor() {
        std::lock_guard const lock{mutex_};
        editor_ = ::el_init("chat", stdin, stdout, stderr);
        history_ = ::history_init();
        HistEvent event;
        ::history(history_, &event, H_SETSIZE, 1000);
        ::el_set(editor_, EL_CLIENTDATA, this);
        ::el_set(editor_, EL_EDITOR, "emacs");
        ::el_set(editor_, EL_HIST, &::history, history_);
        ::el_set(editor_, EL_PROMPT, +[](EditLine *e) { return self(e).prompt_.data(); });
        ::el_set(editor_, EL_GETCFN, +[](EditLine *e, wchar_t *key) { return self(e).read_key(*key); });
        ::el_wset(editor_, EL_ADDFN, L"complete", L"completes a word", +[](EditLine *e, int) { return self(e).complete(); });
        ::el_set(editor_, EL_BIND, "^I", "complete", nullptr);
        ::el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
        ::el_set(editor_, EL_PREP_TERM, 1);
    }
    void close_editor() {
        std::lock_guard const lock{mutex_};
        ::el_end(editor_);
        ::history_end(history_);
    }
    static console &self(EditLine *editor) {
        void *data = nullptr;
        ::el_get(editor, EL_CLIENTDATA, &data);
        return *static_cast<console *>(data);
    }

    bool edit_line(std::string &line) {
        std::lock_guard const lock{mutex_};
        int size = 0;
        char const *const text = ::el_gets(editor_, &size);
        if (!text || size <= 0) erase_line(); // the end: the prompt goes too
        typing_ = false;
        if (!text || size <= 0) return std::fflush(stdout), false;
        line.assign(text, static_cast<std::size_t>(size));
        if (line.back() == '\n') line.pop_back();
        ::el_set(editor_, EL_PREP_TERM, 1); // who types ahead is not to see it twice
        HistEvent event;
        if (!line.empty()) ::history(history_, &event, H_ENTER, text);
        return true;
    }

    /// Whether bytes, of which this is the first step, may become a character when more come.
    static bool unfinished(std::string_view bytes, gigi::utf8_step step) {
        return bytes.empty() || (!step.valid && step.length == bytes.size() && bytes[0] >= '\xc2' && bytes[0] <= '\xf4');
    }
    /// Reads a character: U+FFFD for bytes that are none, as a terminal that speaks Latin-1 sends them.
    int read_key(wchar_t &key) {
        typing_ = true;
        gigi::utf8_step step;
        while (step = gigi::next_utf8(keys_), unfinished(keys_, step)) {
            mutex_.unlock(); // messages may be printed while nothing is typed
            bool const more = wait(keys_.empty() ? -1 : 50); // the rest of a character is there at once, or never comes
            mutex_.lock();
            follow_resize();
            char byte = 0;
            if (!more || ::read(STDIN_FILENO, &byte, 1) != 1) break;
            keys_ += byte;
        }
        if (keys_.empty()) return 0;
        keys_.erase(0, step.length); // what ended a bad sequence is the next key, or its beginning
        key = static_cast<wchar_t>(step.code_point);
        return 1;
    }

    /// Asks for the terminal's width, which may change at any time.
    void follow_resize() {
        winsize window{};
        if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_col == columns_) return;
        columns_ = window.ws_col;
        ::el_resize(editor_);
    }
    /// Goes to where the prompt begins, and clears the terminal from there on.
    void erase_line() {
        if (!typing_) return;
        follow_resize();
        auto const *const line = ::el_line(editor_);
        std::size_t width = 0;
        for (std::string_view rest : {std::string_view{prompt_}, std::string_view{line->buffer, line->cursor}})
            for (gigi::utf8_step step; (step = gigi::next_utf8(rest)).length; rest.remove_prefix(step.length))
                width += static_cast<std::size_t>(std::max(0, ::wcwidth(static_cast<wchar_t>(step.code_point))));
        std::fputc('\r', stdout);
        if (auto const rows = width / columns_) std::fprintf(stdout, "\033[%zuA", rows);
        std::fputs("\033[J", stdout);
    }
    void draw_line() const {
        if (typing_) ::el_set(editor_, EL_REFRESH);
        std::fflush(stdout);
    }

    unsigned char complete() {
        auto const *const line = ::el_line(editor_);
        std::string_view const typed{line->buffer, line->cursor};
        std::size_t start = 0; // of the word before the cursor
        bool quoted = false;
        for (std::size_t i = 0; i < typed.size(); ++i) {
            if (typed[i] == '"' && (quoted || i == start)) quoted = !quoted;
            if (typed[i] == ' ' && !quoted) start = i + 1;
        }
        auto const before = split(typed.substr(0, start));
        std::string const stem{typed.substr(start + (typed.substr(start).starts_with('"') ? 1 : 0))};
        strings candidates;
        if (before.empty())
            for (auto const &[name, parameters] : commands_) candidates.push_back(name);
        else if (auto const c = commands_.find(before[0].text); c != commands_.end() && before.size() <= c->second.size())
            candidates = c->second[before.size() - 1] == "path" ? files_like(stem) : words_[c->second[before.size() - 1]];
        std::erase_if(candidates, [&](auto const &word) {
            return !word.starts_with(stem) || word.find('"') != word.npos || gigi::printable(word) != word;
        });
        if (candidates.empty()) return CC_REFRESH_BEEP;
        std::ranges::sort(candidates);
        auto const &first = candidates.front(), &last = candidates.back();
        std::string found{first.begin(), std::ranges::mismatch(first, last).in1};
        if (found == stem && candidates.size() > 1) {
            for (auto const &candidate : candidates) print_locked("  " + candidate);
            return CC_NORM;
        }
        if (candidates.size() == 1 && !found.ends_with('/')) found += found.find(' ') == found.npos ? " " : "\" ";
        if (found.find_last_of(' ', found.size() - 2) != found.npos) found.insert(0, 1, '"');
        int characters = 0;
        for (auto rest = typed.substr(start); !rest.empty(); rest.remove_prefix(gigi::next_utf8(rest).length)) ++characters;
        ::el_deletestr(editor_, characters);
        ::el_insertstr(editor_, found.c_str());
        return CC_REFRESH;
    }
    static strings files_like(std::string const &stem) {
        auto const folder = std::filesystem::path{stem}.parent_path();
        strings found;
        std::error_code code;
        std::filesystem::directory_iterator i{folder.empty() ? "." : folder, code};
        for (; !code && i != std::filesystem::directory_iterator{}; i.increment(code))
            found.push_back((folder / i->path().filename()).string() + (i->is_directory(code) ? "/" : ""));
        return found;
    }

    EditLine *editor_ = nullptr;
    History *history_ = nullptr;
    std::size_t columns_ = 80;
    std::string keys_; ///< read, but not yet a character
#else // the terminal's own editing: what is typed cannot be shown again, but it is not lost
    void open_editor() {}
    void close_editor() {}
    bool edit_line(std::string &line) {
        {
            std::lock_guard const lock{mutex_};
            typing_ = true;
            draw_line();
        }
        bool const read = read_line(line);
        std::lock_guard const lock{mutex_};
        typing_ = false;
        return read;
    }
    void erase_line() const {
        if (typing_) std::fputs("\r\033[K", stdout);
    }
    void draw_line() const {
        if (typing_) std::fputs(prompt_.c_str(), stdout);
        std::fflush(stdout);
    }
#endif

    gigi::any_io_executor executor_;
    gigi::channel<std::string> lines_;
    bool const json_;
    grammar const commands_;
    bool const terminal_;
    std::mutex mutex_;
    std::string name_, prompt_;
    bool typing_ = false;
    vocabulary words_;
    std::string input_; ///< read, but not yet a line
    std::counting_semaphore<> taken_{0};
    std::atomic<bool> closing_{false};
    int wake_[2];
    std::thread thread_;
};
