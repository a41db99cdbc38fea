// Many nodes in a process of their own, that connect to one of this process and then are silent.
#pragma once

#include "bench.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// A `Member` is made from an `io_context`, and has `awaitable<void> connect(std::string)`.
template <class Member> class crowd {
  public:
    /// Forks: to be made before there are threads.
    crowd() {
        int down[2], up[2];
        if (::pipe(down) != 0 || ::pipe(up) != 0) throw std::runtime_error{"pipe"};
        child_ = ::fork();
        if (child_ < 0) throw std::runtime_error{"fork"};
        if (child_ == 0) {
            ::close(down[1]);
            ::close(up[0]);
            serve(down[0], up[1]);
        }
        ::close(down[0]);
        ::close(up[1]);
        orders_ = down[1];
        answers_ = up[0];
    }
    crowd(crowd const &) = delete;
    ~crowd() {
        ::close(orders_); // the child ends with this
        ::close(answers_);
        ::waitpid(child_, nullptr, 0);
    }

    /// Makes it larger; returns when all of it have connected.
    void grow_to(std::size_t members, std::string const &address) {
        order const next{members - members_, address.size()};
        char done = 0;
        if (::write(orders_, &next, sizeof next) != sizeof next || ::write(orders_, address.data(), address.size()) < 0 || ::read(answers_, &done, 1) != 1)
            throw std::runtime_error{"a member of the crowd could not connect"};
        members_ = members;
    }

  private:
    struct order {
        std::size_t more, address_size;
    };

    [[noreturn]] static void serve(int orders, int answers) {
        worker thread;
        std::vector<std::unique_ptr<Member>> all;
        order next{};
        try {
            while (::read(orders, &next, sizeof next) == sizeof next) {
                std::string address(next.address_size, ' ');
                if (::read(orders, address.data(), address.size()) < 0) break;
                for (std::size_t i = 0; i < next.more; ++i) {
                    all.push_back(std::make_unique<Member>(thread.io));
                    thread.run(all.back()->connect(address));
                }
                if (::write(answers, "", 1) != 1) break;
            }
        } catch (std::exception const &e) {
            std::fprintf(stderr, "crowd: %s\n", e.what());
        }
        std::_Exit(0); // without goodbyes
    }

    pid_t child_ = -1;
    int orders_ = -1, answers_ = -1;
    std::size_t members_ = 0;
};

} // namespace bench
