# SPDX-License-Identifier: Apache-2.0
#
# What a run of apache-manager costs, as a cron job runs it: `-c -f FILE` at
# 400 prefork processes, through the board, and over HTTP as a user who may not
# read that; in turns.
package Bench::Tool;

use strict;
use warnings;

use AMGR::Cli qw(cli_program);
use AMGR::Httpd qw(wait_until build_dir);
use Bench::Client qw(fetch touch_slots used_slots);
use Bench::Report qw(median spread);

use constant {
    PROCESSES => 400,
    READY_SEC => 60,
    ROUNDS    => 8,
    RUNS      => 5, # of each in a round
    NOBODY    => 65_534,
    REACH_MS  => 5,
    REACH_MB  => 8,
};

sub measure {
    my ($report) = @_;
    my $n = PROCESSES;
    my $s = AMGR::Httpd->new(
        mpm => 'prefork', modules => ['status'], log_level => 'notice',
        mpm_config => <<"END", config => <<'END2')->start;
StartServers $n
ServerLimit $n
MaxRequestWorkers $n
MinSpareServers 5
MaxSpareServers $n
END
ListenBacklog 4096
ExtendedStatus On
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END2
    wait_until(sub {
        touch_slots($s->port, '/', $n);
        used_slots(fetch($s->port, '/server-status')) >= 0.95 * $n;
    }, READY_SEC, 'used slots') or die "too few slots were used\n";
    wait_until(sub { ($s->json->{tick_time} // 0) > 0 }, READY_SEC, 'a tick')
        or die "no tick\n";
    my $dir = $s->path('work/tool');
    mkdir $dir or die "$dir: $!\n";
    chmod 01777, $dir or die "$dir: $!\n";
    my (@board, @http);
    for (1 .. ROUNDS) {
        push @board, runs($s, "$dir/board.txt");
        push @http, runs($s, "$dir/http.txt", 'setpriv', '--reuid', NOBODY,
                         '--regid', NOBODY, '--clear-groups')
            if $> == 0; # whoever runs the server may read its board
    }
    rows($report, 'the board', \@board, 1);
    rows($report, 'HTTP', \@http) if @http;
    my @wrong = $s->stop;
    die "@wrong\n" if @wrong;
    return;
}

# Runs, each { wall, cpu: ms; memory: MB }.
sub runs {
    my ($s, $file, @as) = @_;
    if (@as) {
        my ($path) = grep { -x } map { "$_/$as[0]" } split /:/, $ENV{PATH};
        $as[0] = $path // die "$as[0] is not installed\n";
    }
    my @command = (build_dir() . '/measure', RUNS, @as, cli_program(), '-qq',
                   '-c', '-f', $file, '--url', $s->url('/manager-status'));
    open my $pipe, '-|', @command or die "measure: $!\n";
    my @runs;
    while (<$pipe>) {
        my ($wall, $user, $system, $kib) = split;
        push @runs, { wall => $wall / 1e3, cpu => ($user + $system) / 1e3,
                      memory => $kib * 1024 / 1e6 };
    }
    close $pipe or die "apache-manager failed\n";
    return @runs;
}

sub rows {
    my ($report, $what, $runs, $is_board) = @_;
    my $name = "apache-manager -c -f, @{[PROCESSES]} processes, $what";
    my %unit = (cpu => [' ms', REACH_MS, 'CPU'], wall => [' ms', undef, 'wall'],
                memory => [' MB', REACH_MB, 'memory']);
    for my $of (qw(cpu wall memory)) {
        my ($unit, $reach, $word) = @{ $unit{$of} };
        my @values = map { $_->{$of} } @$runs;
        $report->row("$name: $word", median(@values), $unit,
                     $is_board ? $reach : undef, spread(@values));
    }
    return;
}

1;
