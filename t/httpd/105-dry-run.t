#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A dry run signals nobody, whoever is over a limit: not the ticker, not the
# parent that ticks itself, and no worker is asked to end itself.  Told by the
# calls of the module into the C library, of every process, and the same look
# at the same server sees the signals once it is no dry run.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(mpms wait_until);
use AMGR::Inject;
use Apache::Test qw(-withtestmore);

use constant SOON => 60;

my @SIGNALS = qw(kill tgkill pidfd_send_signal);

sub config {
    my ($s, $switch) = @_;
    my $script = $s->wsgi_script;
    return <<"END";
ManagerDryRun $switch
ManagerMinAge 1s
ManagerMaxMemoryIdle 150M
<ManagerGroup shop>
    ManagerMaxMemoryActive 150M
</ManagerGroup>
<Location "/app/sleep">
    ManagerMaxTime 1s
</Location>
WSGIDaemonProcess shop threads=2 home=/ display-name=%{GROUP}
WSGIScriptAlias /app $script
WSGIScriptAlias /shop $script process-group=shop
END
}

sub server {
    my ($mpm, $name, @interval) = @_;
    my $s = AMGR::Httpd->new(mpm => $mpm, modules => ['wsgi'], @interval,
                             name => "$mpm-$name");
    my $inject = AMGR::Inject->new($s->path('work/inject'),
                                   'mod_apache_manager.so');
    $s->{env} = $inject->env;
    $s->{config} = config($s, 'On');
    $s->start;
    return { s => $s, inject => $inject };
}

# "ticker: pidfd_send_signal", of the calls with a signal that the module made
# since these were counted.
sub signals {
    my ($server) = @_;
    my %sent;
    for my $site ($server->{inject}->sites) {
        $sent{"$site->{role}: $site->{call}"} += $site->{count}
            if grep { $site->{call} eq $_ } @SIGNALS;
    }
    return \%sent;
}

sub looked {
    my ($server, $role) = @_;
    return scalar grep { $_->{role} eq $role && $_->{call} eq 'signal_0' }
        $server->{inject}->sites;
}

# Verdicts by group, without those that are well.
sub verdicts {
    my ($s) = @_;
    my %verdict;
    for my $process (@{ $s->json->{processes} }) {
        $verdict{ $process->{group} } = $process->{verdict}
            if $process->{verdict} =~ /^(?:memory|time)/;
    }
    return \%verdict;
}

# A worker and a daemon over their limits; the daemon's may end it in the middle
# of its request.
sub outgrow {
    my ($s) = @_;
    my $daemon = AMGR::Case::Retire::pid_of($s->get('/shop/pid')->content);
    $s->get('/shop/leak?mb=200');
    return (AMGR::Case::Retire::leak($s, 200), $daemon);
}

# And a request that takes longer than one may.
sub dry_begin {
    my ($server) = @_;
    my $s = $server->{s};
    $server->{inject}->clear;
    $server->{long} = $s->start_request('/app/sleep?s=3');
    $server->{over} = [outgrow($s)];
    return $server;
}

sub dry {
    my ($server, $role) = @_;
    my ($s, $name) = ($server->{s}, $server->{s}->name);
    ok(wait_until(sub {
        my $over = verdicts($s);
        return $over->{native} && $over->{shop};
    }, SOON, 'verdicts'), "$name: worker and daemon are over their limits");
    ok(wait_until(sub { $s->json->{manager}{suppressed}{dry_run} >= 2 }, SOON,
                  'what a dry run held back'), "$name: both are held back");
    ok(looked($server, $role), "$name: it is the $role that looks at them");
    ok($server->{long}->wait(SOON), "$name: a long request ends");
    is($server->{long}->status, 200, "$name: by itself");
    is_deeply(signals($server), {}, "$name: nobody has sent a signal");
    AMGR::Case::Retire::all_live("$name: they live", @{ $server->{over} });
    return;
}

sub wet {
    my ($server) = @_;
    my ($s, $name) = ($server->{s}, $server->{s}->name);
    # What a killed daemon has to say of itself is mod_wsgi's.
    $s->expect_log(qr/\[wsgi:(?:error|warn)\]/);
    $s->set_config(config($s, 'Off'));
    ok($s->restart, "$name: the dry run is over");
    $server->{inject}->clear;
    my @over = outgrow($s);
    AMGR::Case::Retire::gone($s, $_, SOON, "$name: $_ ends") for @over;
    # Where there are threads, a worker that is asked by the ticker signals
    # itself.
    my $sent = signals($server);
    my $asker = $s->mpm eq 'prefork' ? 'ticker: pidfd_send_signal'
              : 'worker: tgkill';
    ok($sent->{$_}, "$name: now this is seen: $_")
        for 'ticker: pidfd_send_signal', $asker;
    $s->stop_ok;
    return;
}

# The parent ticks every ten seconds, the tickers meanwhile.
my $parent = dry_begin(server('event', 'parent'));
my @tickers = map { dry_begin(server($_, 'ticker', interval => '300ms')) }
    mpms();
dry($_, 'ticker') for @tickers;
wet($_) for @tickers;
dry($parent, 'parent');
$parent->{s}->stop_ok;
done_testing();
