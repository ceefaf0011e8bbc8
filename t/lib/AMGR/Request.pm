# SPDX-License-Identifier: Apache-2.0
#
# A request that goes on by itself: bytes sent over a new connection, the
# answer read whenever somebody looks.  Ends when the peer closes.
package AMGR::Request;

use strict;
use warnings;

use Errno qw(EAGAIN EINTR);
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

sub new {
    my ($class, $port, $bytes) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port, Timeout => 30)
        or die "127.0.0.1:$port: $!\n";
    $socket->blocking(0);
    binmode $socket;
    my $self = bless { socket => $socket, out => $bytes, in => '',
                       begun => time }, $class;
    $self->pump(0);
    return $self;
}

# Move what can be moved; wait for that at most so long.
sub pump {
    my ($self, $timeout) = @_;
    my $socket = $self->{socket} or return;
    local $SIG{PIPE} = 'IGNORE';
    my $reads = IO::Select->new($socket);
    my $writes = IO::Select->new(length $self->{out} ? $socket : ());
    my ($readable, $writable) = IO::Select->select($reads, $writes, undef,
                                                   $timeout);
    if ($writable && @$writable) {
        my $sent = syswrite $socket, $self->{out};
        if (defined $sent) {
            substr($self->{out}, 0, $sent) = '';
        }
        elsif ($! != EAGAIN && $! != EINTR) {
            $self->{out} = '';    # the answer may still be there
        }
    }
    if ($readable && @$readable) {
        my $got = sysread $socket, $self->{in}, 65536, length $self->{in};
        if (defined $got ? $got == 0 : $! != EAGAIN && $! != EINTR) {
            $self->{reset} = "$!" unless defined $got;
            $self->{ended} = time;
            close $socket;
            delete $self->{socket};
        }
    }
    return;
}

# Whether the peer has closed the connection.
sub done {
    my ($self) = @_;
    1 while $self->{socket} && $self->ready && $self->pump_once;
    return !$self->{socket};
}

sub ready {
    my ($self) = @_;
    return IO::Select->new($self->{socket})->can_read(0)
        || length $self->{out};
}

sub pump_once {
    my ($self) = @_;
    my $before = length($self->{in}) - length($self->{out});
    $self->pump(0);
    return length($self->{in}) - length($self->{out}) != $before;
}

# Until the end or so many seconds; true when it has ended.
sub wait {
    my ($self, $timeout) = @_;
    my $deadline = time + $timeout;
    while ($self->{socket} && time < $deadline) {
        $self->pump(0.05);
    }
    return !$self->{socket};
}

# The body that one is held for, see hold_request() of AMGR::Httpd.
sub let_go {
    my ($self) = @_;
    $self->{out} .= 'x';
    return $self->pump(0);
}

sub close_now {
    my ($self) = @_;
    close delete $self->{socket} if $self->{socket};
    return;
}

sub bytes { return $_[0]{in} }

# Seconds from the first byte sent to the end.
sub took { my ($self) = @_; return ($self->{ended} // time) - $self->{begun} }

# The status code; undef when there was no (whole) status line.
sub status {
    my ($self) = @_;
    return $self->{in} =~ m{^HTTP/1\.[01] (\d{3})} ? $1 : undef;
}

sub header {
    my ($self, $name) = @_;
    my ($head) = split /\r\n\r\n/, $self->{in}, 2;
    return ($head // '') =~ /^\Q$name\E: *([^\r\n]*)/mi ? $1 : undef;
}

# The body as it came (chunks joined).
sub body {
    my ($self) = @_;
    my (undef, $body) = split /\r\n\r\n/, $self->{in}, 2;
    return $body unless ($self->header('Transfer-Encoding') // '') =~ /chunked/i;
    my $text = '';
    while ($body =~ s/^([0-9a-fA-F]+)[^\r\n]*\r\n//) {
        my $size = hex $1;
        last if $size == 0;
        $text .= substr $body, 0, $size;
        $body = length $body > $size + 2 ? substr($body, $size + 2) : '';
    }
    return $text;
}

1;
