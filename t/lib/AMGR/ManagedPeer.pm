# SPDX-License-Identifier: Apache-2.0
#
# A peer of 127.0.0.1 for verifiers, which does not do as it should.  It notes
# what it was asked, and how much of its answer it got rid of.
#
#   my $peer = AMGR::ManagedPeer->start('silent');
#   $peer->{port}; $peer->seen;   # [REQUEST LINE, BYTES], one to a connection
package AMGR::ManagedPeer;

use strict;
use warnings;

use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use POSIX ();

my $owner = $$;
my %running;

use constant BODY => 100 << 20;

my $ok = "HTTP/1.1 200 OK\r\n";

# What each is answered with: bytes, over and over again up to so many, with a
# pause between them.
my %ways = (
    silent     => [''],
    drip       => ["${ok}X-More: ", 'x', BODY, 0.05],
    redirects  => ["HTTP/1.1 302 Found\r\nLocation: /again\r\n"
                   . "Content-Length: 0\r\n\r\n"],
    endless    => ["HTTP/1.1 500 No\r\n\r\n", 'x' x 65536, BODY],
    big        => ["$ok\r\n", 'x' x 65536, BODY],
    heads      => [$ok, 'X-More: ' . 'x' x 1000 . "\r\n", BODY],
    fails      => ["HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"],
    garbage    => ["this is no answer\r\n\r\n"],
    'hangs-up' => [undef],
);

sub start {
    my ($class, $way) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                         LocalPort => 0, Listen => 16)
        or die "no port of 127.0.0.1 can be bound: $!\n";
    my $file = File::Temp->new(TMPDIR => 1);
    $file->autoflush(1);
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP);
        $SIG{PIPE} = 'IGNORE';
        serve($listener, $file, @{ $ways{$way} });
        POSIX::_exit(0);
    }
    $running{$pid} = 1;
    return bless { pid => $pid, port => $listener->sockport, file => $file },
        $class;
}

sub seen {
    my ($self) = @_;
    open my $fh, '<', $self->{file}->filename or die "$!\n";
    return map { [split /\t/] } map { chomp; $_ } <$fh>;
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    delete $running{$pid};
    return;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        kill 'KILL', keys %running;
        waitpid $_, 0 for keys %running;
        $? = $status;
    }
}

# One connection after the other, as its verifier makes them.
sub serve {
    my ($listener, $file, @answer) = @_;
    my $wait = IO::Select->new($listener);
    while (getppid == $owner) {
        $wait->can_read(1) or next;
        my $socket = $listener->accept or next;
        my ($line) = (request($socket) // '') =~ /\A([^\r\n]*)/;
        my $bytes = defined $answer[0] ? answer($socket, @answer) : 0;
        close $socket;
        syswrite $file, "$line\t$bytes\n";
    }
    return;
}

sub request {
    my ($socket) = @_;
    my $text = '';
    until ($text =~ /\r\n\r\n/) {
        sysread $socket, $text, 65536, length $text or last;
    }
    return $text;
}

# Until nobody takes it any more.
sub answer {
    my ($socket, $head, $piece, $most, $pause) = @_;
    my $bytes = syswrite($socket, $head) // 0;
    while ($piece && $bytes < $most) {
        my $sent = syswrite $socket, $piece or last;
        $bytes += $sent;
        select undef, undef, undef, $pause if $pause;
    }
    # The verifier ends the connection, whatever this one does.
    sysread $socket, my $none, 1;
    return $bytes;
}

1;
