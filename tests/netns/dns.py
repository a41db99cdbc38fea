"""DNS messages, written and read with as little as possible, to check gigi's by; and a host that speaks and hears them."""
import struct
import sys

PORT = 5353
SERVICE = '_p2p._udp.local'


def encode_name(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'


def decode_name(data, at):
    labels, end = [], None
    while data[at]:
        if data[at] >= 0xc0:
            end = end or at + 2
            at = (data[at] & 0x3f) << 8 | data[at + 1]
        else:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
    return '.'.join(labels), end or at + 1


def decode(data):
    """A DNS message, read with as little as possible: id, flags, [questions], [[(name, type, class, ttl, data)]] by section."""
    number, flags, *counts = struct.unpack('>6H', data[:12])
    at, questions, sections = 12, [], []
    for _ in range(counts[0]):
        name, at = decode_name(data, at)
        questions.append((name, *struct.unpack('>2H', data[at:at + 4])))
        at += 4
    for count in counts[1:]:
        sections.append([])
        for _ in range(count):
            name, at = decode_name(data, at)
            kind, klass, ttl, size = struct.unpack('>HHIH', data[at:at + 10])
            at += 10
            value = data[at:at + size]
            if kind == 12:
                value = decode_name(data, at)[0]
            if kind == 16:
                texts, i = [], 0
                while i < size:
                    texts.append(value[i + 1:i + 1 + value[i]].decode())
                    i += 1 + value[i]
                value = texts
            sections[-1].append((name, kind, klass, ttl, value))
            at += size
    return number, flags, questions, sections


# What `talk` runs on a host: sends datagrams (hexadecimal, from standard input) to the group from PORT, and prints what is heard.
TALK = '''
import socket, struct, sys, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
s.bind(('', port))
if port == 5353:
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton('224.0.0.251') + socket.inet_aton('0.0.0.0'))
for line in sys.stdin:
    s.sendto(bytes.fromhex(line), ('224.0.0.251', 5353))
end = time.monotonic() + seconds
while time.monotonic() < end:
    s.settimeout(max(0.01, end - time.monotonic()))
    try: data, source = s.recvfrom(9000)
    except socket.timeout: break
    print(source[0], source[1], data.hex())
'''


def talk(lab, host, datagrams, port=PORT, seconds=1.5):
    """Sends datagrams on a host; what it hears then: [(source, port, message)]."""
    out = lab.run(host, sys.executable, '-c', TALK, str(port), str(seconds), input='\n'.join(d.hex() for d in datagrams))
    heard = [line.split() for line in out.splitlines()]
    return [(source, int(source_port), decode(bytes.fromhex(data))) for source, source_port, data in heard]


def query(name, kind=12, klass=1, number=0):
    return struct.pack('>6H', number, 0, 1, 0, 0, 0) + encode_name(name) + struct.pack('>2H', kind, klass)
