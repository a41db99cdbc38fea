"""Hosts in network namespaces on one bridge (tests/support/netns.sh), so that multicast never leaves them."""

import os
import shutil
import subprocess

from chat import Skip

NETNS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "netns.sh")


class Lab:
    """Hosts 1…`hosts`, with 10.77.0.<host> and fd77::<host>."""

    def __init__(self, hosts):
        if os.geteuid() != 0 or not shutil.which("ip"):
            raise Skip("needs root and iproute2")
        self.prefix = f"gp{os.getpid()}"
        made = subprocess.run(["bash", NETNS, "up", str(hosts), self.prefix], capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.close()
            raise Skip(f"no network namespaces here: {made.stderr.strip()}")

    def inside(self, host):
        """The beginning of a command line that runs on a host."""
        return ["ip", "netns", "exec", f"{self.prefix}-{host}"]

    def link(self, host, up):
        """Pulls a host's cable out at the switch, or plugs it in."""
        state = "up" if up else "down"
        subprocess.run(["ip", "-n", f"{self.prefix}-sw", "link", "set", f"p{host}", state], check=True)

    def interface(self, host, up):
        """Takes a host's interface down, which loses its IPv6 address and its routes, or up again."""
        ip = ["ip", "-n", f"{self.prefix}-{host}"]
        subprocess.run([*ip, "link", "set", "eth0", "up" if up else "down"], check=True)
        if up:
            subprocess.run([*ip, "address", "add", f"fd77::{host}/64", "dev", "eth0", "nodad"], check=False, capture_output=True)
            subprocess.run([*ip, "route", "add", "224.0.0.0/4", "dev", "eth0"], check=False, capture_output=True)

    def close(self):
        subprocess.run(["bash", NETNS, "down", self.prefix], capture_output=True, check=False)
