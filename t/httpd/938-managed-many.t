#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# As many managed processes as there can be, started at once, restarted and
# stopped; one more is an error of the configuration.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use AMGR::ManagedRogue qw(of_program);
use AMGR::ManagedSeen qw(cpu_seconds order path);
use Apache::Test qw(-withtestmore);

use constant { MOST => 64, SOON => 60 };

sub names { my ($count) = @_; return map { sprintf 'p%02d', $_ } 1 .. $count }
sub config { return join '', map { of_program($_, '/bin/sleep 1000') } names(@_) }

my $s = AMGR::Httpd->new(mpm => 'event', name => 'many');
my ($said, $status) = $s->config_error(config(MOST + 1));
ok($status != 0, 'one more is an error');
like($said, qr/AMGR0041: <ManagedProcess>: '65' is not valid \(expected at most 64 sections\)/,
     'which is told');
$s->set_config(config(MOST));
$s->start;
my $supervisor = AMGR::Managed::supervisor($s);

# Their pids, once all of them are ready.
sub all_ready {
    my ($what) = @_;
    my $all;
    ok(wait_until(sub {
        $all = AMGR::Managed::all($s);
        return MOST == grep { $_->{state} eq 'READY' } values %$all;
    }, SOON, $what), "$what: all of them are ready");
    return map { $_->{pid} } @$all{ names(MOST) };
}

my @pids = all_ready('at once');
my @way = grep { path($s, $_) ne 'STOPPED STARTING RUNNING READY' } names(MOST);
is("@way", '', 'each in one way');
is(scalar(AMGR::Managed::tree($s, $supervisor)), 1 + 2 * MOST,
   'a guard and a process each');
ok($s->graceful, 'graceful restart');
is("@{[all_ready('then')]}", "@pids", 'the same processes');
my $r = order($s, 'restart', 'all');
is($r->{code}, 0, 'all are restarted by order') or diag("$r->{out}$r->{err}");
my @new = all_ready('after it');
my %old = map { $_ => 1 } @pids;
is(scalar(grep { $old{$_} } @new), 0, 'other processes');
ok(AMGR::Managed::are_gone(0, @pids), 'and the first ones are gone');
cmp_ok(cpu_seconds($supervisor), '<', 2, 'which costs little');
my @tree = AMGR::Managed::tree($s, $supervisor);
$s->stop_ok;
ok(AMGR::Managed::are_gone(0, @tree), 'all end with the server');
done_testing();
