"""Running a program so that any attempt to reach the network, from Python or from native code, is caught.

Two nets: a small library preloaded before all others stands in for libc's `connect`, `sendto`, `sendmsg` and name
look-ups, refuses whatever is not local and writes it down; and where the system lets us, the program runs in a network
namespace of its own, in which there is nothing to reach.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

SHIM = r"""
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int caught(const char *what, const char *where) {
    const char *path = getenv("OFFLINE_LOG");
    int file = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (file >= 0) { dprintf(file, "%s %s\n", what, where); close(file); }
    errno = ENETUNREACH;
    return -1;
}

static int is_local(const struct sockaddr *to, char *name, size_t size) {
    if (!to || to->sa_family == AF_UNIX || to->sa_family == AF_UNSPEC || to->sa_family == AF_NETLINK) return 1;
    if (to->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)to;
        char host[48];
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
        snprintf(name, size, "%s", host);
        if (getenv("OFFLINE_LOCAL")) {
            snprintf(name, size, "%s:%d", host, ntohs(v4->sin_port));
            caught("local", name);
        }
        return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
    }
    if (to->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)to;
        inet_ntop(AF_INET6, &v6->sin6_addr, name, size);
        return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    snprintf(name, size, "family %d", to->sa_family);
    return 0;
}

static int is_local_name(const char *name) {
    return !name || !*name || !strcmp(name, "localhost") || !strncmp(name, "127.", 4) || !strcmp(name, "::1") ||
           !strcmp(name, "0.0.0.0");
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int connect(int fd, const struct sockaddr *to, socklen_t size) {
    char name[64] = "";
    return is_local(to, name, sizeof name) ? REAL(connect)(fd, to, size) : caught("connect", name);
}
ssize_t sendto(int fd, const void *data, size_t n, int flags, const struct sockaddr *to, socklen_t size) {
    char name[64] = "";
    return is_local(to, name, sizeof name) ? REAL(sendto)(fd, data, n, flags, to, size) : caught("sendto", name);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    char name[64] = "";
    return is_local(message->msg_name, name, sizeof name) ? REAL(sendmsg)(fd, message, flags) : caught("sendmsg", name);
}
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    if (is_local_name(node)) return REAL(getaddrinfo)(node, service, hints, found);
    caught("getaddrinfo", node);
    return EAI_FAIL;
}
struct hostent *gethostbyname(const char *node) {
    if (is_local_name(node)) return REAL(gethostbyname)(node);
    caught("gethostbyname", node);
    return NULL;
}
"""


@dataclass(frozen=True)
class Finished:
    """How a program ended, and what of the network it tried to reach ("connect 192.0.2.1")."""

    code: int
    stdout: str
    stderr: str
    reached: tuple[str, ...]


def missing() -> str | None:
    """Why nothing can be watched here, None where it can."""
    if not sys.platform.startswith("linux"):
        return "preloading a library is done on Linux only"
    return None if shutil.which("cc") else "no C compiler to build the watching library with"


def run_offline(command: list[str], folder: Path, *, local: bool = False, **environment_of: str) -> Finished:
    """Run a program without a network and watched; `folder` takes the watching library and its log.

    Args:
        local: servers on this machine may be reached, and each that is shows as "local 127.0.0.1:PORT".
        environment_of: more environment variables.
    """
    library, log = folder / "offline.so", folder / "reached.log"
    if not library.exists():
        source = folder / "offline.c"
        source.write_text(SHIM)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    log.unlink(missing_ok=True)
    # what these tests import is what the program imports
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "LD_PRELOAD": str(library), "OFFLINE_LOG": str(log), "PYTHONPATH": path}
    environment.update(environment_of, **({"OFFLINE_LOCAL": "1"} if local else {}))
    done = subprocess.run(
        [*(() if local else _namespace()), *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    reached = tuple(log.read_text().splitlines()) if log.exists() else ()
    return Finished(done.returncode, done.stdout, done.stderr, reached)


@lru_cache(maxsize=1)
def _namespace() -> tuple[str, ...]:
    """`unshare` in the form that is permitted here; nothing where none is."""
    for form in (("unshare", "-n"), ("unshare", "-rn")):
        if shutil.which("unshare") and not subprocess.run([*form, "true"], capture_output=True, check=False).returncode:
            return form
    return ()
