# SPDX-License-Identifier: Apache-2.0
#
# What a run of apache-manager costs, as a cron job runs it: `-c -f FILE` at
# 400 prefork processes, through the board, and over HTTP as a user who may not
# read that; its start alone; and what curl costs that asks mod_status.  In
# turns.
package Bench::Tool;

use strict;
use warnings;

use AMGR::Cli qw(cli_program);
use AMGR::Httpd qw(build_dir);
use Bench::Report qw(median);
use Bench::Server ();

use constant {
    PROCESSES => 400,
    ROUNDS    => 8,
    RUNS      => 5, # of each in a round
    NOBODY    => 65_534,
};

sub measure {
    my ($report) = @_;
    my $case = Bench::Server::prefork(PROCESSES);
    Bench::Server::fill(Bench::Server::start($case));
    Bench::Server::wait_seen($case);
    my $s = $case->{server};
    my $dir = $s->path('work/tool');
    mkdir $dir or die "$dir: $!\n";
    chmod 01777, $dir or die "$dir: $!\n";
    my @ask = (cli_program(), '-qq', '-c', '--url', $s->url('/manager-status'),
               '-f');
    # Whoever runs the server may read its board.
    my @as = $> == 0 ? (program('setpriv'), '--reuid', NOBODY, '--regid',
                        NOBODY, '--clear-groups') : ();
    my %command = (
        start => [cli_program(), '--version'],
        board => [@ask, "$dir/board.txt"],
        http  => [@as, @ask, "$dir/http.txt"],
        curl  => [program('curl'), '-s', '-o', '/dev/null',
                  $s->url(Bench::Server::STATUS . '?auto')],
    );
    my %runs;
    for (1 .. ROUNDS) {
        push @{ $runs{$_} }, runs(@{ $command{$_} }) for sort keys %command;
    }
    Bench::Server::finish($case);
    add_rows($report, \%runs);
    return;
}

sub program {
    my ($name) = @_;
    my ($path) = grep { -x } map { "$_/$name" } split /:/, $ENV{PATH};
    return $path // die "$name is not installed\n";
}

sub add_rows {
    my ($report, $runs) = @_;
    my %of;
    for my $name (keys %$runs) {
        $of{$name} = [map {
            my $of = $_;
            [map { $_->{$of} } @{ $runs->{$name} }];
        } qw(cpu wall memory)];
    }
    my ($cpu, undef, $memory) = map { median(@$_) } @{ $of{curl} };
    $report->add("tool-$_", of => $of{$_}, base => [$cpu, $memory])
        for qw(start board http);
    return;
}

# Runs, each { wall, cpu: ms; memory: MB }.
sub runs {
    my @command = @_;
    open my $pipe, '-|', build_dir() . '/measure', RUNS, @command
        or die "measure: $!\n";
    my @runs;
    while (<$pipe>) {
        my ($wall, $user, $system, $kib) = split;
        push @runs, { wall => $wall / 1e3, cpu => ($user + $system) / 1e3,
                      memory => $kib * 1024 / 1e6 };
    }
    close $pipe or die "@command failed\n";
    return @runs;
}

1;
