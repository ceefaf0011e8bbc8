# SPDX-License-Identifier: Apache-2.0
#
# Programs of others, run beside the test: with an environment and a home of
# their own, so that they find and leave nothing of the machine's, for a
# bounded time, and ended by pid whatever way the test ends.
package AMGR::Client;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Errno qw(EINTR);
use IO::Select;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

use Exporter qw(import);
our @EXPORT_OK = qw(run_program start_program end_program is_ended place
                    slurp write_file);

use constant {
    RUN_SEC => 120,   # a loaded machine
    END_SEC => 30,
};

my %running;    # by pid
my $owner = $$;

# Where a client looks and where it may write: { server, path, url, dir }.
sub place {
    my ($s, $path, $name) = @_;
    my $dir = $s->path("work/$name");
    mkdir $dir, 0700 or die "$dir: $!\n";
    return { server => $s, path => $path, dir => $dir,
             url => $s->url("$path?auto") };
}

# In the child of a fork: never returns.  setpriv ends it with the test; what
# it starts is of its group.
sub become {
    my ($place, $env, @command) = @_;
    POSIX::setpgid(0, 0);
    my %env = (PATH => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'
                       . ':/sbin:/bin',
               HOME => $place->{dir}, TMPDIR => $place->{dir},
               LC_ALL => 'C.UTF-8', LANG => 'C.UTF-8', TERM => 'dumb',
               %$env);
    chdir $place->{dir} or POSIX::_exit(126);
    open STDIN, '<', '/dev/null' or POSIX::_exit(126);
    local %ENV = (PATH => $env{PATH});
    exec 'setpriv', '--pdeathsig', 'KILL', 'env', '-i',
        (map { "$_=$env{$_}" } sort keys %env), @command
        or POSIX::_exit(127);
}

# Runs it to its end: { status, out, err }; status is 128 and the signal's
# number when it was ended by one.
sub run_program {
    my ($place, $env, @command) = @_;
    pipe my $out, my $out_end or die "pipe: $!\n";
    pipe my $err, my $err_end or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>&', $out_end or POSIX::_exit(126);
        open STDERR, '>&', $err_end or POSIX::_exit(126);
        become($place, $env, @command);
    }
    $running{$pid} = 1;
    close $_ for $out_end, $err_end;
    my %text = (fileno($out) => '', fileno($err) => '');
    my $select = IO::Select->new($out, $err);
    my $deadline = time + RUN_SEC;
    while ($select->count && time < $deadline) {
        for my $fh ($select->can_read($deadline - time)) {
            my $got = sysread $fh, $text{ fileno $fh }, 65536,
                length $text{ fileno $fh };
            next if !defined $got && $! == EINTR;
            $select->remove($fh) unless $got;
        }
    }
    my $late = $select->count;
    kill 'KILL', $pid, -$pid if $late;
    waitpid $pid, 0;
    my $status = $?;
    delete $running{$pid};
    return { status => $status & 127 ? 128 + ($status & 127) : $status >> 8,
             out => $text{ fileno $out }, err => $text{ fileno $err } };
}

# Runs until it is ended; what it says goes to a file of its directory.
sub start_program {
    my ($place, $env, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>>', "$place->{dir}/said" or POSIX::_exit(126);
        open STDERR, '>&', \*STDOUT or POSIX::_exit(126);
        become($place, $env, @command);
    }
    $running{$pid} = 1;
    return $pid;
}

sub is_ended {
    my ($pid) = @_;
    return 1 unless $running{$pid};
    return unless waitpid($pid, WNOHANG) == $pid;
    delete $running{$pid};
    return 1;
}

sub end_program {
    my ($pid, $signal) = @_;
    return if is_ended($pid);
    kill $signal // 'TERM', $pid;
    wait_until(sub { is_ended($pid) }, END_SEC, "the end of program $pid")
        and return;
    kill 'KILL', $pid, -$pid;
    waitpid $pid, 0;
    delete $running{$pid};
    return;
}

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or return '';
    local $/;
    return scalar(<$fh>) // '';
}

sub write_file {
    my ($file, $text) = @_;
    open my $fh, '>:raw', $file or die "$file: $!\n";
    print {$fh} $text or die "$file: $!\n";
    close $fh or die "$file: $!\n";
    chmod 0600, $file or die "$file: $!\n";
    return $file;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        for my $pid (keys %running) {
            kill 'KILL', $pid, -$pid;
            waitpid $pid, 0;
        }
        $? = $status;
    }
}

1;
