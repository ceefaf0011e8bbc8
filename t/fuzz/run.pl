#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Runs the fuzz targets that make fuzz has built with libFuzzer, a process for
# each, and tells in a table what came of it.
#
#   t/fuzz/run.pl [--seconds 600] [--jobs 2] [NAME...]
#   t/fuzz/run.pl --merge [--jobs 2] [NAME...]
#
# Each begins with its kept inputs, t/fuzz/corpus/NAME, and with what earlier
# runs have found, BUILD/corpus/NAME, to which it adds; t/fuzz/NAME.dict are
# words for it.  An input that crashes, hangs, leaks or needs too much memory is
# BUILD/findings/NAME-*, and ends the run with status 1, with what the target
# said of it in BUILD/NAME.log.  --merge copies to the kept inputs what of the
# found ones reaches code that no kept one does, and is short.
use strict;
use warnings;

use File::Path qw(make_path);
use FindBin;
use Getopt::Long;
use lib "$FindBin::Bin/../lib";

use AMGR::Lint qw(build_dir files);

# Of one input: the seconds it may take, and the megabytes.
my ($TIME, $MEMORY) = (20, 2048);

# Bytes of the longest that is kept, which all checkouts have for ever.
my $KEPT_MAX = 8192;

my ($seconds, $jobs, $merge) = (600, 2, 0);
GetOptions('seconds=i' => \$seconds, 'jobs=i' => \$jobs, 'merge' => \$merge)
    && $seconds > 0 && $jobs > 0
    or die "usage: run.pl [--seconds N] [--jobs N] [--merge] [NAME...]\n";

my @known = map { m{/fuzz_([^/]+)\.c$} } files(qr{/fuzz_[^/]+\.c$}, 't/fuzz');
my %known = map { $_ => 1 } @known;
for my $name (@ARGV) {
    $known{$name}
        or die "run.pl: no target '$name' (there are: @known)\n";
}
my @waiting = @ARGV ? @ARGV : @known;

my $build = build_dir();
make_path("$build/findings");
$SIG{$_} = \&interrupted for qw(INT TERM HUP);
STDOUT->autoflush(1);

my $owner = $$; # children have a copy of all this
my %running;    # pid => name
my $failed = 0;
printf "%-16s %10s %8s %7s %7s %7s  %s\n", 'target', 'runs', 'per s',
    'edges', 'inputs', 'new', 'findings';
while (@waiting || %running) {
    while (@waiting && keys %running < $jobs) {
        my $name = shift @waiting;
        $running{ start($name) } = $name;
    }
    my $pid = waitpid -1, 0;
    my $name = delete $running{$pid} // next;
    $failed = 1 if !told($name, $?);
}
exit $failed;

sub kept     { return "t/fuzz/corpus/$_[0]" }
sub found    { return "$build/corpus/$_[0]" }
sub findings { return glob "$build/findings/$_[0]-*" }

sub inputs {
    my ($dir) = @_;
    return grep { -f } glob "$dir/*";
}

my %kept_before;

sub start {
    my ($name) = @_;
    my @command = ("$build/fuzz/$name", $merge ? merging($name)
                                               : fuzzing($name));
    my $log = "$build/$name.log";
    $kept_before{$name} = inputs($merge ? kept($name) : found($name));
    make_path(found($name));
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    open STDOUT, '>', $log or die "$log: $!\n";
    open STDERR, '>&', \*STDOUT or die "$log: $!\n";
    $ENV{ASAN_OPTIONS} //= 'detect_leaks=1:disable_coredump=0';
    $ENV{UBSAN_OPTIONS} //= 'print_stacktrace=1';
    exec @command or die "$command[0]: $!\n";
}

sub fuzzing {
    my ($name) = @_;
    my $words = "t/fuzz/$name.dict";
    return ("-max_total_time=$seconds", "-timeout=$TIME",
        "-rss_limit_mb=$MEMORY", '-print_final_stats=1',
        '-use_value_profile=1', "-artifact_prefix=$build/findings/$name-",
        -f $words ? "-dict=$words" : (), found($name), kept($name));
}

# By edges alone: how often each is passed would keep ten times as many.
sub merging {
    my ($name) = @_;
    return ('-merge=1', '-use_counters=0', "-timeout=$TIME",
        "-rss_limit_mb=$MEMORY",
        "-artifact_prefix=$build/findings/$name-", kept($name), found($name));
}

# The row of a target that has ended.  Whether all is well.
sub told {
    my ($name, $status) = @_;
    open my $fh, '<:raw', "$build/$name.log" or die "$name.log: $!\n";
    my %seen = (runs => '-', rate => '-', edges => '-');
    while (my $line = <$fh>) {
        $seen{edges} = $1 if $line =~ /\bcov: (\d+)/;
        $seen{runs} = $1 if $line =~ /number_of_executed_units: (\d+)/;
        $seen{rate} = $1 if $line =~ /average_exec_per_sec: +(\d+)/;
    }
    close $fh;
    # By their names libFuzzer's own are told from those that somebody wrote.
    unlink grep { -s > $KEPT_MAX && m{/[0-9a-f]{40}$} } inputs(kept($name))
        if $merge;
    my $now = inputs($merge ? kept($name) : found($name));
    my @findings = findings($name);
    printf "%-16s %10s %8s %7s %7d %7d  %s\n", $name,
        @seen{qw(runs rate edges)}, $now, $now - $kept_before{$name},
        @findings ? "@findings" : $status ? "failed, see $build/$name.log" : 0;
    return !@findings && $status == 0;
}

sub interrupted { exit 130 }

# However this ends, no target goes on alone.
END {
    my $status = $?;
    if (($owner // 0) == $$ && %running) {
        kill 'TERM', keys %running;
    }
    $? = $status;
}
