# SPDX-License-Identifier: Apache-2.0
#
# Managed processes that do what they should not, by a word each (see %ways),
# and sections for them.
#
#   AMGR::ManagedRogue::prepare($s);
#   section($s, 'deaf', 'StopTimeout 1s', 'deaf')
#   of_shell($s, 'crash', 'exit 3', 'RestartLimit Off')
#   of_program('web', '/bin/sleep 1000')
#
# Like the holder of AMGR::Managed they hold a lock as long as anything of them
# lives.  Whoever belongs to one is a line of the file NAME.pids of the state
# directory; they wait for the file NAME.go there.
package AMGR::ManagedRogue;

use strict;
use warnings;

use AMGR::Managed;

use Exporter qw(import);
our @EXPORT_OK = qw(section of_shell of_program touch);

my $script = <<'END';
use strict;
use warnings;
use Fcntl qw(:flock);
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_DGRAM);
my ($dir, $name, $does, @args) = @ARGV;
$| = 1;
sub note {
    my ($file, $text) = @_;
    open my $fh, '>>', "$dir/$file" or die "$dir/$file: $!\n";
    syswrite $fh, "$text\n";
}
$^F = 1000; # the lock goes to whatever is started
open my $lock, '>>', "$dir/$name.lock" or die "$dir/$name.lock: $!\n";
if (!flock $lock, LOCK_EX | LOCK_NB) {
    note("$name.double", $$);
    exit 9;
}
note("$name.pids", $$);
sub rest { sleep 1 while 1 }
sub until_file { select undef, undef, undef, 0.02 until -e "$dir/$name.$_[0]" }
sub begin {
    my ($what) = @_;
    return if fork // die "fork: $!\n";
    note("$name.pids", $$);
    $what->();
    exit 0;
}
sub deafen { $SIG{TERM} = 'IGNORE' }
sub say_it {
    my $to = $ENV{NOTIFY_SOCKET} =~ s/^@/\0/r;
    my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $to)
        or die "NOTIFY_SOCKET: $!\n";
    send $socket, $_, 0 for @_;
}
# Two that start each other anew, in a session of their own each time.
sub pair {
    deafen();
    while (1) {
        POSIX::setsid();
        pipe my $in, my $out or die "pipe: $!\n";
        my $pid = fork // next;
        if ($pid) {
            close $in;
            waitpid $pid, 0;
        }
        else {
            close $out;
            sysread $in, my $none, 1; # until the other one is gone
        }
    }
}
my %ways = (
    deaf => sub {
        deafen();
        begin(sub { POSIX::setsid(); rest() });
        rest();
    },
    family => sub {
        begin(\&rest);
        begin(sub { POSIX::setsid(); rest() });
        begin(sub { begin(sub { POSIX::setsid(); rest() }) });
        begin(sub { POSIX::setsid(); deafen(); note("$name.deaf", $$); rest() });
        until_file('go');
        exit 5;
    },
    daemon => sub {
        deafen();
        begin(sub { POSIX::setsid(); begin(\&rest) });
        wait;
        exit 0;
    },
    eater => sub {
        my $is_first = !-e "$dir/$name.eaten";
        note("$name.eaten", $$);
        begin(sub {
            POSIX::setsid();
            my $much = 'x' x ($args[0] << 20);
            rest();
        }) if $is_first;
        rest();
    },
    mute => sub { close STDOUT; close STDERR; rest() },
    talker => sub {
        syswrite STDOUT, "<b>bold</b> & \e[31mred\e[0m \a\x9b2J\r\xff\xc3\n";
        rest();
    },
    notifier => sub {
        say_it('STATUS=' . 'x' x 65000,
               "STATUS=<b>\"it's\" & \e[31mred\a\x9b\xff " . 'y' x 400);
        until_file('go');
        say_it('READY=1');
        rest();
    },
    pairs => sub { begin(\&pair) for 1 .. $args[0]; rest() },
    rest  => \&rest,
);
$ways{$does}->();
END


# Before the server's configuration is written.
sub prepare {
    my ($s) = @_;
    AMGR::Managed::prepare($s);
    $s->write('work/rogue.pl', $script);
    return $s;
}

# By the mark in its environment a test finds all that it has started.
sub of_program {
    my ($name, $command, @lines) = @_;
    return join "\n    ", "<ManagedProcess $name>", "Command $command",
        'PassEnv AMGR_TEST_SERVER', @lines, "\n</ManagedProcess>\n";
}

# One that goes this way.
sub section {
    my ($s, $name, $lines, @way) = @_;
    my $dir = AMGR::Managed::state_dir($s);
    my $file = $s->path('work/rogue.pl');
    return of_program($name, qq{"$^X" "$file" "$dir" $name @way}, $lines);
}

# A line for the shell, in which STATE is the state directory.
sub of_shell {
    my ($s, $name, $line, @lines) = @_;
    my $dir = AMGR::Managed::state_dir($s);
    $line =~ s/STATE/$dir/g;
    return of_program($name, qq{"$line"}, 'Shell On', @lines);
}

# What one of them waits for.
sub touch { my ($s, $file) = @_; return $s->write("state/$file", '') }

1;
