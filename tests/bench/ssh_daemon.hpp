// An ssh daemon of our own on loopback, for scp.
#pragma once

#include "scratch.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace bench {

/// Lives as long as this does: with keys of its own, for this user only, whoever that is.
class ssh_daemon {
  public:
    static bool available() { return std::filesystem::exists(program) && installed("scp") && installed("ssh-keygen"); }

    /// @param folder for keys and settings; made
    explicit ssh_daemon(std::filesystem::path const &folder) : folder_{folder.string()}, port_{free_port()} {
        std::filesystem::create_directories(folder);
        for (char const *key : {"/host", "/key"})
            if (shell("ssh-keygen -q -t ed25519 -N '' -f " + folder_ + key) != 0) throw std::runtime_error{"ssh-keygen failed"};
        std::ofstream{folder_ + "/config"} << "Port " << port_ << "\nListenAddress 127.0.0.1\nHostKey " << folder_ << "/host\nAuthorizedKeysFile " << folder_
                                           << "/key.pub\nPidFile none\nStrictModes no\nUsePAM no\nSubsystem sftp internal-sftp\n";
        if (::geteuid() == 0) made_ = std::filesystem::create_directories(empty_folder); // or it does not start as root
        std::string const config = folder_ + "/config", log = folder_ + "/log";
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGTERM);
            ::execl(program, program, "-D", "-f", config.c_str(), "-E", log.c_str(), nullptr);
            ::_exit(127);
        }
        for (int i = 0; shell("ssh-keyscan -T 1 -p " + std::to_string(port_) + " 127.0.0.1 > " + folder_ + "/known 2> /dev/null && test -s " + folder_ + "/known") != 0; ++i) {
            if (i == 50) throw std::runtime_error{"sshd does not answer: see " + log};
            std::this_thread::sleep_for(std::chrono::milliseconds{100});
        }
    }
    ssh_daemon(ssh_daemon const &) = delete;
    ~ssh_daemon() {
        ::kill(pid_, SIGTERM);
        ::waitpid(pid_, nullptr, 0);
        if (made_) std::filesystem::remove(empty_folder);
    }

    /// Processor time of the daemon and of those of its sessions that have ended, in seconds.
    double cpu_time() const {
        std::ifstream in{"/proc/" + std::to_string(pid_) + "/stat"};
        std::string word;
        double ticks = 0, value = 0;
        std::getline(in, word, ')');              // the pid and the name
        for (int field = 3; field <= 13; ++field) in >> word;
        for (int field = 14; field <= 17 && in >> value; ++field) ticks += value; // its own and its children's, user and system
        return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }

    /// The command that fetches a file, encrypted with ChaCha20-Poly1305.
    std::string fetch(std::filesystem::path const &from, std::filesystem::path const &to) const {
        return "scp -q -F none -P " + std::to_string(port_) + " -i " + folder_ + "/key -c chacha20-poly1305@openssh.com -o IdentitiesOnly=yes -o UserKnownHostsFile=" + folder_ +
               "/known 127.0.0.1:" + from.string() + " " + to.string();
    }

  private:
    static constexpr char program[] = "/usr/sbin/sshd";
    static constexpr char empty_folder[] = "/run/sshd";

    static unsigned free_port() {
        asio::io_context io;
        return asio::ip::tcp::acceptor{io, {asio::ip::address_v4::loopback(), 0}}.local_endpoint().port();
    }

    std::string folder_;
    unsigned port_;
    bool made_ = false;
    pid_t pid_ = -1;
};

} // namespace bench
