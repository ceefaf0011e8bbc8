#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What the module costs, measured in one run on private servers of 127.0.0.1.
#
#   make bench                         all of it, on standard output
#   make bench README=1                and into the README
#   t/bench/run.pl requests memory     these measurements alone
#   t/bench/run.pl --readme FILE       all of it, and into FILE
#
# A figure over its reach is marked and fails nothing; a measurement that could
# not be made ends the run with status 1 and leaves FILE as it was.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use AMGR::Httpd ();
use Bench::Answers;
use Bench::First;
use Bench::Growth;
use Bench::Loads;
use Bench::Machine;
use Bench::Managed;
use Bench::Memory;
use Bench::Reaction;
use Bench::Report;
use Bench::Request;
use Bench::Ticks;
use Bench::Tool;
use Getopt::Long qw(GetOptions);
use Test::Builder;
use Time::HiRes qw(time);

# Each adds its rows to the report, or dies and says why.
my @measurements = (
    [answers  => \&Bench::Answers::measure],
    [ticks    => \&Bench::Ticks::measure],
    [growth   => \&Bench::Growth::measure],
    [loads    => \&Bench::Loads::measure],
    [requests => \&Bench::Request::measure],
    [memory   => \&Bench::Memory::measure],
    [first    => \&Bench::First::measure],
    [reaction => \&Bench::Reaction::measure],
    [managed  => \&Bench::Managed::measure],
    [tool     => \&Bench::Tool::measure],
);

# An interrupted run takes its servers with it: their END block stops them.
$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
STDOUT->autoflush(1);

# What the server library has to say when something fails, logs included.
my $log = AMGR::Httpd::build_dir() . '/bench.log';
Test::Builder->new->failure_output($log);

GetOptions('readme=s' => \my $readme) or exit 2;
my %known = map { $_->[0] => 1 } @measurements;
for my $name (@ARGV) {
    $known{$name} or die "run.pl: no measurement '$name' (there are: "
        . join(' ', map { $_->[0] } @measurements) . ")\n";
}
die "run.pl: into the README go all measurements\n" if $readme && @ARGV;
my %wanted = map { $_ => 1 } @ARGV ? @ARGV : keys %known;

my $report = Bench::Report->new;
my $about = Bench::Machine::about();
my $begun = time;
print "$about\nLoad at the beginning: ", Bench::Machine::load(), "\n\n";
for my $measurement (grep { $wanted{ $_->[0] } } @measurements) {
    my ($name, $measure) = @$measurement;
    my $since = time;
    eval { $measure->($report); 1 } or $report->failed($name, $@);
    printf "       ... %s: %.0f s\n", $name, time - $since;
}
$report->check(keys %wanted);
printf "%.0f s%s\n", time - $begun,
    $report->failures ? ', ' . $report->failures . ' not measured' : '';
if ($report->failures) {
    print "logs of the servers: $log\n";
    exit 1;
}
if ($readme) {
    my $text = $report->into(AMGR::Httpd::slurp($readme), $about);
    open my $out, '>', $readme or die "$readme: $!\n";
    print {$out} $text or die "$readme: $!\n";
    close $out or die "$readme: $!\n";
    print "written: $readme\n";
}
exit 0;
