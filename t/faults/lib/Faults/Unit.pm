# SPDX-License-Identifier: Apache-2.0
#
# Each unit test with each call of the code under test failing: it may find
# that something is not as it should be, and never crashes or hangs.
package Faults::Unit;

use strict;
use warnings;

use AMGR::Build qw(repo_dir build_dir);
use AMGR::Inject;
use Faults::Program;
use Faults::Ways qw(ways_of in_order note);
use File::Path qw(remove_tree);
use File::Temp ();
use Time::HiRes qw(time);

use constant HANG_SEC => 90; # no test waits for longer

sub tests {
    my @names = map { m{([^/]+)\.c$} } glob repo_dir() . '/t/unit/*_test.c';
    return sort @names;
}

# Tests that are ended leave what they have made: below a TMPDIR of their own,
# which goes, or at a place that root alone can write to, by their pid.
sub run_once {
    my ($binary, $env) = @_;
    my $scratch = File::Temp->newdir;
    chmod 0755, $scratch or die "$scratch: $!\n"; # some become another user
    my $r = Faults::Program::run({ %$env, TMPDIR => "$scratch" }, HANG_SEC,
                                 $binary);
    remove_tree(glob "/run/amgr-unit-$r->{pid}-*");
    return $r;
}

# What is wrong with a run, in words; nothing when it is well.
sub judge {
    my ($r, $way) = @_;
    # A test waits for the end of what was not killed, as is its right.
    return if $r->{late} && $way->{call} =~ /^(?:kill|pidfd_)/;
    return "hangs: $r->{where}" if $r->{late};
    return "signal $r->{signal}" if $r->{signal};
    return "crash: $1" if $r->{out} =~ /Test failed with exception: (.*)/;
    return $1 if $r->{out} =~
        /^(\*\*\*.*|.*inject: .*|.*(?:Sanitizer|runtime error): .*)$/m;
    return;
}

# In about so many seconds: { test, ways, results }: how many there are, and
# what came of those that were tried.
sub run_test {
    my ($test, $dir, $seconds) = @_;
    my $binary = build_dir() . "/unit/$test";
    my $inject = AMGR::Inject->new("$dir/$test", $test);
    my $env = $inject->env;
    my $r = run_once($binary, $env);
    die "$test fails as it is: status $r->{status}\n$r->{out}\n"
        if $r->{status};
    my @ways = in_order('unit', ways_of($binary, { whole => 12, more => 6 },
                                        $inject->sites));
    my @results;
    my $end = time + $seconds;
    for my $way (@ways) {
        last if time > $end && @results;
        $inject->forget_parent;
        $inject->arm(map { $_ => $way->{$_} } qw(site first run how));
        my $got = run_once($binary, $env);
        my @found = judge($got, $way);
        push @results, note('unit', { hits => $inject->disarm, way => $way,
                                      found => \@found,
                                      told => [$got->{out}] });
    }
    return { test => $test, ways => scalar @ways, results => \@results };
}

1;
