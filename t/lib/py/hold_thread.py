# SPDX-License-Identifier: Apache-2.0
"""Holds these threads where they end, as a thread that hangs in the kernel is
held: SIGKILL takes the rest of the process, and what it has stays.  Writes
"held" once that is so, and lets go of them when its standard input ends."""
import ctypes
import os
import sys

PTRACE_SEIZE = 0x4206
PTRACE_O_TRACEEXIT = 0x40

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long
for thread in sys.argv[1:]:
    if libc.ptrace(PTRACE_SEIZE, int(thread), None, PTRACE_O_TRACEEXIT) < 0:
        sys.exit("%s: %s" % (thread, os.strerror(ctypes.get_errno())))
print("held", flush=True)
sys.stdin.read()
