# SPDX-License-Identifier: Apache-2.0
#
# Where a run happens: as root in a mount namespace and a pid namespace of its
# own, where all processes are its own, whatever nobody looks after comes to
# pid 1, which is the run, a full disk is a small tmpfs, and the pid of a
# process that has ended can be had at once for another.  The pid_max of the
# machine is never touched.  Where that is not permitted, and for an ordinary
# user, the run is in the middle of everything else.
package Chaos::Place;

use strict;
use warnings;

use AMGR::Httpd ();

use constant {
    INSIDE   => 'AMGR_CHAOS_INSIDE',
    LAST_PID => '/proc/sys/kernel/ns_last_pid',
    DISK_KB  => 64,
};

my @unshare = qw(unshare --mount --pid --fork --mount-proc --kill-child);

# Starts the program anew in there, without core files; returns when it is in
# there, or cannot be.
sub enter {
    return if $ENV{+INSIDE};
    $ENV{+INSIDE} = 1;
    my @core = qw(prlimit --core=0);
    my @place = is_permitted() ? @unshare : ();
    exec @place, @core, $^X, (map { "-I$_" } @INC), $0, @ARGV
        or die "prlimit: $!\n";
}

sub is_permitted {
    return $> == 0
        && system(join(' ', @unshare) . ' true 2>/dev/null') == 0;
}

sub is_own { return $$ == 1 }

# In words, for the report.
sub words {
    return is_own()
        ? 'a namespace of its own; the full disk is a tmpfs of '
          . DISK_KB . ' KiB, pids of the dead are given to others'
        : 'no namespace of its own; for the full disk the directory of the '
          . 'data file is taken away, and no pid is given to another';
}

# A small file system at this directory; nothing where that cannot be.
sub mount_disk {
    my ($dir) = @_;
    return unless is_own();
    system('mount', '-t', 'tmpfs', '-o', 'mode=0755,size=' . DISK_KB . 'k',
           'chaos', $dir) == 0 or die "no tmpfs at $dir\n";
    return 1;
}

sub unmount_disk {
    my ($dir) = @_;
    system('umount', '-l', $dir);
    return;
}

# The next process of this place has the pid behind this one.
sub set_last_pid {
    my ($pid) = @_;
    return unless is_own();
    open my $fh, '>', LAST_PID or return;
    print {$fh} $pid;
    return close $fh;
}

sub pid_max {
    my ($max) = AMGR::Httpd::slurp('/proc/sys/kernel/pid_max') =~ /^(\d+)/;
    return $max;
}

1;
