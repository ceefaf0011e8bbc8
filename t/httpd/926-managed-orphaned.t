#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The supervisor and its configuration: one that is out of descriptors gets it
# as soon as it has some, and one whose module is gone after a graceful restart
# ends its processes in order.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use AMGR::Managed;
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

sub server {
    my ($name, %more) = @_;
    my $s = AMGR::Httpd->new(mpm => 'event', name => $name, %more);
    AMGR::Managed::prepare($s);
    return $s;
}

sub ready { my ($s, $name) = @_; return AMGR::Managed::wait_for($s, $name, 'READY') }

sub said {
    my ($s, $pattern) = @_;
    return wait_until(sub { $s->log_text =~ $pattern }, SOON, "$pattern");
}

# The first number that the process has no descriptor of: with that as the
# limit, it gets none.
sub first_free {
    my ($pid) = @_;
    my $fd = 0;
    $fd++ while -l "/proc/$pid/fd/$fd";
    return $fd;
}

sub limit {
    my ($pid, $soft) = @_;
    return system('prlimit', "--pid=$pid", "--nofile=$soft:") == 0;
}

# ---- no descriptors ---------------------------------------------------------

my $short = server('short');
$short->set_config(AMGR::Managed::section($short, 'web'));
$short->start;
my $web = ready($short, 'web');
my $supervisor = AMGR::Managed::supervisor($short);
my ($usual) = AMGR::Httpd::slurp("/proc/$supervisor/limits")
    =~ /^Max open files\s+(\d+)/m;
ok(limit($supervisor, first_free($supervisor)), 'no descriptor is left');
$short->set_config(join '', map { AMGR::Managed::section($short, $_) }
                   qw(web b));
$short->expect_log(qr/AMGR0040: the new configuration .* cannot be taken now/,
                   qr/AMGR0040: processes cannot be looked for in \/proc: /);
ok($short->graceful, 'graceful restart');
ok(said($short, qr/Too many open files.*AMGR0040: the new configuration of managed processes cannot be taken now/),
   'the supervisor says why it is not taken');

# ---- no module --------------------------------------------------------------

{
    # The minute that it waits is some seconds.
    my $s = server('gone');
    $s->{env} = { LD_PRELOAD => $s->build_object('clock'), AMGR_CLOCK => 20 };
    $s->set_config(AMGR::Managed::section($s, 'web', 'StopTimeout 60s', 0.5)
                   . AMGR::Managed::section($s, 'b', 'After web'));
    $s->start;
    ready($s, $_) for qw(web b);
    my ($supervisor) = AMGR::Managed::supervisors($s);
    my @tree = AMGR::Managed::tree($s, $supervisor);
    cmp_ok(scalar(@tree), '>=', 7, 'supervisor, guards, processes and more');
    ok(wait_until(sub { -e $s->runtime_file('apache-manager.txt') }, 30,
                  'the data file'), 'the data file is there');

    # A restart that takes the module along is none of that.
    ok($s->graceful, 'graceful restart');
    ok(ready($s, 'b'), 'all is well after it');
    ok(-e $s->runtime_file($_), "$_ stays")
        for qw(apache-manager.board apache-manager.txt);
    is(AMGR::Managed::supervisor($s), $supervisor, 'the supervisor stays');

    $s->{manager} = 0;
    $s->set_config('');
    # Whether httpd has its turn to reap it before it is stopped, nobody knows.
    $s->expect_log(qr/AMGR0040: no configuration has come since/,
                   qr/AH00488: long lost child came home! \(pid $supervisor\)/);
    ok($s->graceful, 'graceful restart without the module');
    is($s->get('/')->code, 200, 'the server serves');
    # Whoever reads them would take old figures for those of now.
    ok(!-e $s->runtime_file($_), "$_ went with the module")
        for qw(apache-manager.board apache-manager.txt);
    ok(said($s, qr/AMGR0040: no configuration has come since/),
       'the supervisor says that it ends');
    ok(AMGR::Managed::are_gone(SOON, @tree), 'and all end with it');
    is("@{[AMGR::Managed::noted($s, 'ended')]}", 'b web',
       'in order, and in their own time');
    ok(!-e $s->runtime_file('apache-manager.sock'), 'no socket is left');
    is($s->get('/')->code, 200, 'the server serves on');
    $s->stop_ok;
}

# ---- descriptors again ------------------------------------------------------

is(AMGR::Managed::one($short, 'b')->{reason},
   'no supervisor has taken it up yet', 'the new one is not there yet');
is(AMGR::Managed::supervisor($short), $supervisor, 'nobody was replaced');
ok(limit($supervisor, $usual), 'there are descriptors again');
ok(ready($short, 'b'), 'the configuration is taken');
is(AMGR::Managed::one($short, 'web')->{pid}, $web->{pid},
   'who was there stays');
is(scalar(() = $short->log_text =~ /cannot be taken now/g), 1, 'it is said once');
$short->stop_ok;
done_testing();
