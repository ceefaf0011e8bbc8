#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A child of httpd that listens and is no worker, as the manager of mod_fcgid
# is, for which httpd restarts itself when it ends: killing leaves it alone,
# with the module and without, before the first tick and after.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Kill;
use AMGR::Cli qw(cli);
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

my %sizes = (prefork => "StartServers 8\nMinSpareServers 3\n"
                        . "MaxSpareServers 8\n");

for my $mpm (AMGR::Httpd::mpms()) {
    by_a_page($mpm);
    by_a_board($mpm, undef);
    by_a_board($mpm, '200ms');
}
done_testing();

# A server with such a child, whose pid comes with it.
sub server {
    my ($name, %more) = @_;
    my $s = AMGR::Httpd->new(name => $name, %more);
    mkdir $s->path('work/decoy') or die "$name: $!\n";
    %{ $s->{env} } = (AMGR_DECOY => AMGR::Httpd::build_dir() . '/none',
                      AMGR_DECOY_DIR => $s->path('work/decoy'),
                      AMGR_DECOY_OPEN => 1);
    $s->{config} .= 'LoadModule decoy_module '
        . $s->build_object('mod_decoy') . "\n";
    $s->start;
    my $file = $s->path('work/decoy/fork.pid');
    ok(wait_until(sub { AMGR::Httpd::slurp($file) =~ /\d\n/ }, 30, 'its pid'),
       "$name: a child that listens");
    my ($pid) = AMGR::Httpd::slurp($file) =~ /^(\d+)$/m;
    ok(wait_until(sub { AMGR::Case::Kill::age($pid) > 2.5 }, 30, 'its age'),
       "$name: of some age");
    return ($s, $pid);
}

# Whatever the limits are; @found is a pattern for each that others are over.
sub spares {
    my ($s, $pid) = @_;
    my $name = $s->name;
    my $r = AMGR::Case::Kill::kill_run($s, '-n', '-i', '1K', '-a', '1K');
    AMGR::Case::Kill::ended_well($r, $name);
    AMGR::Case::Kill::said($r, qr/Would kill native worker \d+ /,
                           "$name: workers would go");
    unlike($r->{err}, qr/worker $pid\b/, "$name: the daemon would not")
        or diag($r->{err});
    ok(AMGR::Httpd::is_alive($pid), "$name: it lives");
    return;
}

sub by_a_page {
    my ($mpm) = @_;
    my ($s, $pid) = server("$mpm-page", mpm => $mpm, manager => 0,
                           location => 0, modules => ['status'],
                           mpm_config => $sizes{$mpm}, config => <<'END');
ExtendedStatus On
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END
    counts($s);
    spares($s, $pid);
    $s->stop_ok;
    return;
}

# Workers of the data file are those of the server, whatever else listens; most
# of them have never served, and have no row on the page.
sub counts {
    my ($s) = @_;
    my $out = cli('--url', $s->url('/'), '-q', '-c', '-f', '-')->{out};
    my %of = $out =~ /^([\w-]+)\t(\d+)$/mg;
    is($of{'native-worker-count'}, $of{'busy-workers'} + $of{'idle-workers'},
       $s->name . ': workers are counted');
    return;
}

sub by_a_board {
    my ($mpm, $interval) = @_;
    my ($s, $pid) = server("$mpm-board" . ($interval ? '' : '-unticked'),
                           mpm => $mpm, interval => $interval);
    spares($s, $pid);
    $s->stop_ok;
    return;
}
