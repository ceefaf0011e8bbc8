# SPDX-License-Identifier: Apache-2.0
#
# A client of the control socket: one line each way.
#
#   my $answer = order($path, { order => 'tick' });   # decoded; dies on no line
#   my $text = say_line($path, "garbage\n");          # whatever came, or undef
package AMGR::Control;

use strict;
use warnings;

use IO::Select;
use IO::Socket::UNIX;
use JSON::PP ();
use Time::HiRes qw(time);

use Exporter qw(import);
our @EXPORT_OK = qw(order say_line connect_to hear);

use constant ANSWER_SEC => 20;

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

1;
