#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Lets every call of the module and of the tool into the C library fail, one
# after the other, and says what came of it.
#
#   make faults
#   t/faults/run.pl [--minutes N] [--seed N] [--only REGEXP]
#                   [unit|tool|server|life ...]
#
# All ways to fail take days: each place fails in the likeliest way first, those
# that have not failed yet before the others; then in an order of the seed's.
# --only leaves those of whose line, as it is in a finding, the regexp is a part.
# Status 1: a crash, something that hangs, is left behind or is not told.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";

use AMGR::Httpd ();
use Faults::Life;
use Faults::Program;
use Faults::Server;
use Faults::Tool;
use Faults::Unit;
use Faults::Ways qw(in_order note places choose);
use File::Temp ();
use Getopt::Long qw(GetOptions);
use POSIX ();
use Test::Builder;
use Time::HiRes qw(time);

$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
STDOUT->autoflush(1);
my $log = AMGR::Httpd::build_dir() . '/faults.log';
Test::Builder->new->failure_output($log);

my %part = (unit => \&unit, tool => \&tool, server => \&server,
            life => \&life);
my %share = (unit => 0.4, tool => 0.1, server => 0.3, life => 0.2);

my ($minutes, %choice) = (60, seed => int rand 1_000_000);
GetOptions('minutes=f' => \$minutes, 'seed=i' => \$choice{seed},
           'only=s' => \$choice{only}) or exit 2;
choose(%choice);
print "seed $choice{seed}\n";
my @parts = @ARGV ? @ARGV : qw(unit tool server life);
$part{$_} or die "run.pl: no part '$_'\n" for @parts;
my $all = 0;
$all += $share{$_} for @parts;
my $total = 0;

printf "%-28s %8s %8s %8s %8s\n", qw(what ways tried failed found);
for my $name (@parts) {
    $part{$name}->($minutes * 60 * $share{$name} / $all);
    printf "%-28s %8d %8s %8d\n", "places of $name", (places($name))[0], '',
        (places($name))[1];
}
exit($total > 0);

# ways: how many there are; tried of these; failed: in how many a call did.
sub row {
    my ($what, $ways, $results) = @_;
    my @found = grep { @{ $_->{found} } } @$results;
    my $failed = grep { $_->{hits} } @$results;
    printf "%-28s %8d %8d %8d %8d\n", $what, $ways, scalar @$results, $failed,
        scalar @found;
    if (@$results && !$failed) {
        print "    no call has failed: this says nothing\n";
        $total++;
    }
    for my $result (@found) {
        printf "    %s: %s\n", Faults::Ways::text($result->{way}),
            join '; ', @{ $result->{found} };
    }
    $total += @found;
    return;
}

sub unit {
    my ($seconds) = @_;
    my $dir = File::Temp->newdir;
    my @tests = Faults::Unit::tests();
    Faults::Program::adopt_orphans();
    my $end = time + $seconds;
    while (defined(my $test = shift @tests)) {
        my $mine = ($end - time) / (@tests + 1);
        my $r = Faults::Unit::run_test($test, $dir, $mine < 1 ? 1 : $mine);
        row($test, $r->{ways}, $r->{results}) if $r->{ways};
    }
    return;
}

sub tool {
    my ($seconds) = @_;
    my $tool = Faults::Tool->new;
    my $end = time + $seconds;
    my @commands = $tool->commands;
    while (defined(my $command = shift @commands)) {
        my @ways = in_order('tool', $tool->ways($command));
        my @results;
        my $until = time + ($end - time) / (@commands + 1);
        for my $way (@ways) {
            last if time > $until && @results;
            push @results, note('tool', $tool->try_way($command, $way));
        }
        row("apache-manager @$command[0 .. 0]", scalar @ways, \@results);
    }
    return;
}

sub server {
    my ($seconds) = @_;
    my $end = time + $seconds;
    my @todo;
    for my $mpm (AMGR::Httpd::mpms()) {
        push @todo, map { [$mpm, $_] } Faults::Server::scenarios();
    }
    my %server;
    while (defined(my $next = shift @todo)) {
        my ($mpm, $scenario) = @$next;
        my $server = $server{$mpm} //= Faults::Server->new($mpm)->start;
        my $until = time + ($end - time) / (@todo + 1);
        my @ways = in_order('server', $server->ways($scenario));
        my @results;
        for my $way (@ways) {
            last if time > $until && @results;
            push @results, note('server', $server->try_way($scenario, $way));
        }
        row("$mpm: $scenario", scalar @ways, \@results) if @ways;
        next if grep { $_->[0] eq $mpm } @todo;
        my @wrong = $server->{s}->stop;
        print "    at the end: $_\n" for @wrong;
        $total += @wrong;
        delete $server{$mpm};
    }
    return;
}

sub life {
    my ($seconds) = @_;
    my $end = time + $seconds;
    my $life = Faults::Life->new('event');
    my ($start, $stop) = $life->ways;
    @$start = in_order('life', @$start);
    @$stop = in_order('life', @$stop);
    my @count = (scalar @$start, scalar @$stop);
    my %results = (start => [], stop => []);
    while (time < $end && (@$start || @$stop)) {
        for my $result ($life->try_ways(shift @$start, shift @$stop)) {
            note('life', $result) if $result->{way};
            push @{ $results{ $result->{name} } }, $result;
        }
    }
    row('event: start', $count[0], $results{start});
    row('event: stop', $count[1], $results{stop});
    return;
}
