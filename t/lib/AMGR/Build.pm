# SPDX-License-Identifier: Apache-2.0
#
# Programs of the tests that `make check` builds, for whoever runs a test by
# itself: built when missing or older than their source.
package AMGR::Build;

use strict;
use warnings;

use Cwd ();
use Fcntl qw(LOCK_EX O_CREAT O_RDWR);
use File::Basename qw(dirname);
use File::Spec;
use POSIX ();

use Exporter qw(import);
our @EXPORT_OK = qw(repo_dir build_dir built);

my $repo = Cwd::abs_path(dirname(__FILE__) . '/../../..');

sub repo_dir { return $repo }

sub build_dir {
    return File::Spec->rel2abs($ENV{AMGR_BUILD} // 'build', $repo);
}

# The path of build/NAME, which the Makefile makes of these sources.
sub built {
    my ($name, @sources) = @_;
    my $program = build_dir() . "/$name";
    my $is_old = sub {
        return grep { !-x $program || -M $program > -M $_ } @sources;
    };
    return $program unless $is_old->();
    # Tests that run beside each other build it once.
    sysopen my $lock, "$program.lock", O_RDWR | O_CREAT
        or die "$program.lock: $!\n";
    flock $lock, LOCK_EX or die "$program.lock: $!\n";
    if ($is_old->()) {
        local %ENV = %ENV;
        delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
        my $pid = fork // die "fork: $!\n";
        if ($pid == 0) {
            open STDOUT, '>&', \*STDERR; # it is no TAP
            exec 'make', '-s', '-C', $repo, 'BUILD=' . build_dir(), $program
                or POSIX::_exit(127);
        }
        waitpid $pid, 0;
        die "$program cannot be built\n" if $?;
    }
    return $program;
}

1;
