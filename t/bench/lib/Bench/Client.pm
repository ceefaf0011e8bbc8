# SPDX-License-Identifier: Apache-2.0
#
# A small client: cheap enough to load a server with one process or two.
package Bench::Client;

use strict;
use warnings;

use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(time);

use Exporter qw(import);
our @EXPORT_OK = qw(fetch keep_asking touch_slots used_slots);

sub dial {
    my ($port) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port, Timeout => 20)
        or die "127.0.0.1:$port: $!\n";
    binmode $socket;
    return $socket;
}

sub send_all {
    my ($socket, $bytes) = @_;
    syswrite($socket, $bytes) == length $bytes or die "send: $!\n";
    return;
}

sub read_to_end {
    my ($socket) = @_;
    my $in = '';
    1 while sysread $socket, $in, 262_144, length $in;
    return $in;
}

# One answer over its own connection; dies unless it is a 200.
sub fetch {
    my ($port, $path) = @_;
    my $socket = dial($port);
    send_all($socket, "GET $path HTTP/1.0\r\n\r\n");
    my $answer = read_to_end($socket);
    $answer =~ m{^HTTP/1\.1 200 }
        or die "$path: " . (split /\r\n/, $answer)[0] . "\n";
    return $answer;
}

# One answer of a connection that stays open.
sub read_answer {
    my ($socket) = @_;
    my $in = '';
    while (1) {
        sysread($socket, $in, 65_536, length $in) or die "connection closed\n";
        my $head = index $in, "\r\n\r\n";
        next if $head < 0;
        my ($length) = $in =~ /^Content-Length: (\d+)/mi;
        defined $length or die "an answer without a length\n";
        return $in if length $in >= $head + 4 + $length;
    }
}

# So many requests over one connection, for answers in chunks or with their
# length; the bytes of the last, head and chunks included.
sub keep_reading {
    my ($port, $path, $count) = @_;
    my $socket = dial($port);
    my $bytes;
    for (1 .. $count) {
        send_all($socket, "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n");
        my ($in, $want) = ('', undef);
        while (!defined $want || length $in < $want) {
            sysread($socket, $in, 262_144, length $in)
                or die "$path: connection closed\n";
            my $head = index $in, "\r\n\r\n";
            next if $head < 0;
            $want = $in =~ /^Content-Length: (\d+)/mi && $-[0] < $head
                ? $head + 4 + $1
                : $in =~ /\r\n0\r\n\r\n\z/ ? length $in : undef;
        }
        $in =~ m{^HTTP/1\.1 200 } or die "$path: $in\n";
        $bytes = length $in;
    }
    close $socket;
    return $bytes;
}

# So many requests over one connection.
sub keep_asking {
    my ($port, $path, $count) = @_;
    my $socket = dial($port);
    for (1 .. $count) {
        send_all($socket, "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n");
        my $answer = read_answer($socket);
        $answer =~ m{^HTTP/1\.1 200 } or die "$path: $answer\n";
    }
    close $socket;
    return;
}

# Give as many slots as possible a request, so that pages have rows to show:
# requests are held open at their last line, each by a worker of its own, and
# finished together; as many as there is time for.
sub touch_slots {
    my ($port, $path, $at_once, $deadline) = @_;
    my @held;
    while (@held < $at_once && time < $deadline) {
        push @held, dial($port);
        send_all($held[-1], "GET $path HTTP/1.1\r\nHost: localhost\r\n"
                            . "Connection: close\r\n");
    }
    select undef, undef, undef, 0.2; # the last of them are being accepted
    send_all($_, "\r\n") for @held;
    read_to_end($_) for @held;
    return;
}

# Slots that have served a request: rows of mod_status' table.
sub used_slots {
    my ($page) = @_;
    return scalar(() = $page =~ /<td><b>\d+-\d+/g);
}

# In a child of its own: requests over one connection until the time is over.
# Returns a handle that yields the seconds each took, a line to each.
sub load {
    my ($port, $path, $seconds) = @_;
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    return $out if $pid;
    my $end = time + $seconds;
    my @took;
    my $ok = eval {
        my $socket = dial($port);
        my $last = time;
        while ($last < $end) {
            send_all($socket, "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n");
            read_answer($socket);
            my $now = time;
            push @took, $now - $last;
            $last = $now;
        }
        1;
    };
    print $ok ? join("\n", @took) : "failed: $@";
    close STDOUT;
    POSIX::_exit(0);
}

1;
