# SPDX-License-Identifier: Apache-2.0
#
# A client of the control socket: one line each way.
#
#   my $answer = order($path, { order => 'tick' });   # decoded; dies on no line
#   my $text = say_line($path, "garbage\n");          # whatever came, or undef
#   retire_one($s);             # of a server with a ManagerSocket control.sock
package AMGR::Control;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use Time::HiRes qw(time);

use Exporter qw(import);
our @EXPORT_OK = qw(order say_line connect_to hear retire_one);

use constant { ANSWER_SEC => 20, RETIRE_SEC => 30 };

# A connection, or undef with $! set.
sub connect_to {
    my ($path) = @_;
    return IO::Socket::UNIX->new(Peer => $path);
}

# All that comes until the server hangs up; undef when it does not.
sub hear {
    my ($socket, $timeout) = @_;
    my $deadline = time + ($timeout // ANSWER_SEC);
    my $text = '';
    while (1) {
        my $left = $deadline - time;
        return if $left <= 0;
        next unless IO::Select->new($socket)->can_read($left);
        my $got = sysread $socket, $text, 65536, length $text;
        return $text unless $got;
    }
}

sub say_line {
    my ($path, $bytes, $timeout) = @_;
    my $socket = connect_to($path) or return;
    local $SIG{PIPE} = 'IGNORE'; # it may hang up before it has all of it
    syswrite $socket, $bytes;
    return hear($socket, $timeout);
}

sub order {
    my ($path, $order, $timeout) = @_;
    my $text = say_line($path, JSON::PP->new->encode($order) . "\n", $timeout);
    die "no line from $path: " . ($text // $!) . "\n"
        unless defined $text && $text =~ /\A[^\n]+\n\z/;
    return JSON::PP->new->utf8->decode($text);
}

# One more idle worker is retired, and its end is on record: whether it is.
sub retire_one {
    my ($s) = @_;
    my $known = $s->json->{manager}{killed_idle};
    return wait_until(sub {
        my $answer = order($s->runtime_file('control.sock'),
            { order => 'retire', max_memory_idle_bytes => 1, max_kills => 1 });
        return $answer->{ok} && $s->json->{manager}{killed_idle} > $known;
    }, RETIRE_SEC, 'a retirement') && wait_until(sub {
        !grep { $_->{outcome} eq 'pending' } @{ $s->json->{kills} }
    }, RETIRE_SEC, 'its end');
}

1;
