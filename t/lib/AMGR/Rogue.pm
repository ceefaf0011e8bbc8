# SPDX-License-Identifier: Apache-2.0
#
# A server of 127.0.0.1 that misbehaves as the path of a request asks it to.
package AMGR::Rogue;

use strict;
use warnings;

use Compress::Zlib qw(crc32);
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep);

use constant BODY => "what was asked for\n" x 6;

my $owner = $$;
my %running;

sub start {
    my ($class) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                         LocalPort => 0, Listen => 64)
        or die "no port of 127.0.0.1 can be bound: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        # It ends with the test, however that ends, and so do its connections.
        POSIX::setpgid(0, 0);
        $SIG{TERM} = 'DEFAULT';
        serve($listener);
    }
    $running{$pid} = 1;
    return bless { pid => $pid, port => $listener->sockport }, $class;
}

sub port { return $_[0]{port} }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    end($pid);
    return;
}

sub end {
    my ($pid) = @_;
    kill 'KILL', $pid, -$pid;
    waitpid $pid, 0;
    delete $running{$pid};
    return;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        end($_) for keys %running;
        $? = $status;
    }
}

# One process to a connection, each ended with the first.
sub serve {
    my ($listener) = @_;
    my $test = getppid;
    $SIG{CHLD} = 'IGNORE';
    $SIG{PIPE} = 'IGNORE';
    my $second = 0; # of /stale-twice, over all connections
    my $wait = IO::Select->new($listener);
    while (getppid == $test) {
        next unless $wait->can_read(1);
        my $socket = $listener->accept or next;
        my $count = ++$second;
        my $pid = fork // POSIX::_exit(1);
        if ($pid == 0) {
            close $listener;
            connection($socket, $count);
            POSIX::_exit(0);
        }
        close $socket;
    }
    POSIX::_exit(0);
}

sub connection {
    my ($socket, $count) = @_;
    my $asked = 0;
    my $text = '';
    while (1) {
        while ($text =~ s{\AGET\ (\S+)\ HTTP/1\.1\r\n(.*?\r\n)\r\n}{}sx) {
            my ($path, $head) = ($1, $2);
            my ($serial) = $head =~ /^X-Serial: (\d+)\r$/m;
            answer($socket, $path, $serial // 0, ++$asked, $count) or return;
        }
        my $got = sysread $socket, $text, 65536, length $text;
        return unless $got;
        # No HTTP, as TLS is none.
        return if $text !~ /\AG/ && syswrite $socket, "HTTP/1.1 400 No\r\n\r\n";
    }
}

sub check {
    my ($serial, $body) = @_;
    return sprintf "X-Check: %d %d %08x\r\n", $serial, length $body,
        crc32($body);
}

sub whole {
    my ($serial, $body, $more) = @_;
    return "HTTP/1.1 200 OK\r\n" . check($serial, $body) . ($more // '')
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

sub chunked {
    my ($serial, @chunks) = @_;
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        . check($serial, join '', @chunks) . "\r\n"
        . join('', map { sprintf "%x\r\n%s\r\n", length, $_ } @chunks)
        . "0\r\n\r\n";
}

sub reset_it {
    my ($socket) = @_;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    return;
}

# What each path is answered with; false: the connection ends afterwards.
my %bytes = (
    '/fine'    => sub { whole($_[0], BODY) },
    '/idle'    => sub { whole($_[0], BODY) },
    '/chunked' => sub { chunked($_[0], BODY, 'x' x 40000, "\r\n") },
    '/drip'    => sub { chunked($_[0], 'one', 'two') },
    '/known'   => sub { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
    '/last'    => sub { whole($_[0], BODY, "Connection: close\r\n") },
    '/stale-eof'   => sub { whole($_[0], BODY) },
    '/stale-reset' => sub { whole($_[0], BODY) },
    '/stale-twice' => sub { whole($_[0], BODY) },
    '/eof'         => sub { '' },
    '/reset'       => sub { '' },
    '/silent'      => sub { '' },
    '/truncated'         => sub { substr whole($_[0], BODY), 0, -3 },
    '/truncated-reset'   => sub { substr whole($_[0], BODY), 0, -3 },
    '/truncated-head'    => sub { substr whole($_[0], BODY), 0, 20 },
    '/truncated-chunked' => sub { substr chunked($_[0], 'x' x 99), 0, -30 },
    '/truncated-end'     => sub { substr chunked($_[0], 'x' x 99), 0, -5 },
    '/status'   => sub { whole($_[0], BODY) =~ s/200 OK/503 No/r },
    '/nolength' => sub { whole($_[0], BODY) =~ s/Content-Length: \d+\r\n//r },
    '/both'     => sub {
        chunked($_[0], BODY) =~ s/\r\n/\r\nContent-Length: 9\r\n/r
    },
    '/long'     => sub { whole($_[0], BODY) . 'x' },
    '/badchunk' => sub { chunked($_[0], BODY) =~ s/\n\K72\r/71\r/r },
    '/http10'   => sub { whole($_[0], BODY) =~ s/1\.1/1.0/r },
    '/garbage'  => sub { "this is no answer\r\n\r\n" },
    '/wrong'    => sub { whole($_[0], BODY) =~ s/asked/ASKED/r },
    '/short'    => sub {
        whole($_[0], BODY) =~ s/(X-Check: \d+) \d+/"$1 " . (length(BODY) + 1)/er
    },
    '/other'    => sub { whole($_[0] + 1, BODY) },
    '/unknown'  => sub { whole($_[0], BODY) =~ s/X-Check/X-Other/r },
);
# After these the server hangs up, or does so at the second request.
my %ends = map { $_ => 1 } grep { m{/(?:eof|reset|truncated|nolength|last)} }
    keys %bytes;

sub answer {
    my ($socket, $path, $serial, $asked, $count) = @_;
    if ($path =~ m{^/stale-} && ($asked == 2 || $path =~ /twice/
                                 && $count % 2 == 0)) {
        reset_it($socket) if $path =~ /reset/;
        return 0;
    }
    my $answer = $bytes{$path}->($serial);
    if ($path eq '/drip') {
        for my $byte (split //, $answer) {
            syswrite $socket, $byte;
        }
    }
    else {
        syswrite $socket, $answer;
    }
    # The bytes are read before their end comes, which takes them away.
    sleep 0.1 if $path =~ /truncated-reset/;
    reset_it($socket) if $path =~ /reset/ && $path !~ /stale/;
    return 0 if $ends{$path} || $path eq '/idle';
    return 1;
}

1;
