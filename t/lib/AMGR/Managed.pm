# SPDX-License-Identifier: Apache-2.0
#
# Managed processes of a server (AMGR::Httpd): what they are run from, and what
# is known of them.
#
#   AMGR::Managed::prepare($s);
#   $s->set_config(AMGR::Managed::section($s, 'web', 'After db'));
#   my $web = AMGR::Managed::wait_for($s, 'web', 'READY');
#
# The process of a section is work/holder.pl, which holds a lock as long as
# anything of it lives, a grandchild of another session included: a second copy
# is noted in the file NAME.double of the state directory.
package AMGR::Managed;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);

use constant WAIT_SEC => 30;

# Its further arguments: the seconds that it takes when it is told to end, and
# whether its grandchild lets itself be told.
my $holder = <<'END';
use strict;
use warnings;
use Fcntl qw(:flock);
use POSIX ();
my ($dir, $name, $slow, $stubborn) = @ARGV;
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
if (!(fork // die "fork: $!\n")) {
    POSIX::setsid();
    $SIG{TERM} = 'IGNORE' if $stubborn;
    sleep 1 while 1;
}
$SIG{TERM} = sub {
    select undef, undef, undef, $slow // 0;
    note('ended', $name);
    exit 0;
};
print "$name runs\n";
sleep 1 while 1;
END

sub state_dir { my ($s) = @_; return $s->path('state') }

# Before the server's configuration is written.
sub prepare {
    my ($s) = @_;
    my $dir = state_dir($s);
    mkdir $dir or die "$dir: $!\n" unless -d $dir;
    chmod 0777, $dir or die "$dir: $!\n";
    $s->write('work/holder.pl', $holder);
    $s->prepare_module; # the configuration may be written from now on
    return $s;
}

# A section of a holder, with these lines in it.
sub section {
    my ($s, $name, $lines, @args) = @_;
    my $dir = state_dir($s);
    my $script = $s->path('work/holder.pl');
    # By the mark in its environment a test finds all that it has started.
    return <<"END";
<ManagedProcess $name>
    Command "$^X" "$script" "$dir" $name @args
    PassEnv AMGR_TEST_SERVER
    @{[$lines // '']}
</ManagedProcess>
END
}

# Lines of a file of the state directory.
sub noted {
    my ($s, $file) = @_;
    open my $fh, '<', state_dir($s) . "/$file" or return;
    chomp(my @lines = <$fh>);
    return @lines;
}

# All of them as status.json has them, by name; nothing while it cannot be had.
sub all {
    my ($s) = @_;
    my $json = eval { $s->json } or return {};
    return { map { $_->{name} => $_ } @{ $json->{managed} } };
}

sub one { my ($s, $name) = @_; return all($s)->{$name} }

# The process once it has the state, and is not the one with the pid @not.
sub wait_for {
    my ($s, $name, $state, $not) = @_;
    return wait_until(sub {
        my $process = one($s, $name) or return;
        return $process->{state} eq $state
            && ($process->{pid} // 0) != ($not // -1) && $process;
    }, WAIT_SEC, "$name is $state");
}

sub supervisors {
    my ($s) = @_;
    return grep { AMGR::Httpd::comm($_) eq 'apache-managed'
                  && AMGR::Httpd::is_alive($_) } $s->children;
}

# Its pid; once it is not @not.
sub supervisor {
    my ($s, $not) = @_;
    return wait_until(sub {
        my @found = supervisors($s);
        return @found == 1 && $found[0] != ($not // -1) && $found[0];
    }, WAIT_SEC, 'one supervisor');
}

# Whether nothing of these runs any more, zombies apart.
sub are_gone {
    my ($seconds, @pids) = @_;
    return wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } @pids },
                      $seconds, "@pids are gone");
}

# Everything below the supervisor: guards, processes and what those started.
sub tree {
    my ($s, $supervisor) = @_;
    my @found = my @left = $supervisor;
    while (defined(my $pid = shift @left)) {
        open my $fh, '<', "/proc/$pid/task/$pid/children" or next;
        my @below = split ' ', <$fh> // '';
        push @found, @below;
        push @left, @below;
    }
    return @found;
}

1;
