#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The lines of retirements as a syslog daemon gets them, counted by a real
# zabbix_agentd with the items of the Python tool's template; and the data file
# between ticks that are rare.  The MPM makes no difference to either.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use AMGR::Syslog;
use AMGR::Zabbix qw(read_packet packet);
use AMGR::ZabbixAgent qw(write_config start_agent);
use Apache::Test qw(-withtestmore);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Time::HiRes ();

# The expressions that the Python tool's template has.
my %expected = (
    'apache-manager\[\d+\]: NOTICE Killing .* \(active\)' => 1,
    'apache-manager\[\d+\]: NOTICE Killing .* \(idle\)'   => 1,
    'apache-manager\[\d+\]: NOTICE Killing WSGI worker'   => 1,
);

use constant {
    CLOCK_FACTOR => 6, # ten seconds are a minute, ten minutes an hour
    FILE_SEC     => 60, # when the file comes it does so within some ten
};

my $items = 0;
# They begin while the lines are looked at, which takes a while.
my @rare = map { rare($_) } qw(hook ticker);
syslog_lines();
rarely_ticking($_) for @rare;
done_testing();

# ---- syslog ---------------------------------------------------------------

sub syslog_lines {
    my $s = AMGR::Httpd->new(mpm => 'prefork', interval => '200ms',
                             modules => ['wsgi'], name => 'syslog');
    my $script = $s->wsgi_script;
    $s->{config} .= <<"END";
ManagerSyslog On
ManagerMinAge 1s
ManagerMaxRetiring 10
ManagerMaxMemoryIdle 150M
ManagerMaxMemoryActive 250M
WSGIDaemonProcess shop display-name=%{GROUP} processes=2 home=/
WSGIScriptAlias /shop $script process-group=shop application-group=%{GLOBAL}
WSGIScriptAlias /app $script
END
    $s->expect_log(qr/Truncated or oversized response headers/,
                   qr/AMGR0024: lost request/);
    my $syslog = AMGR::Syslog->new($s);
    $s->start;
    AMGR::Case::Retire::grow_up($s);
    # What a client says can neither begin a line nor pass for a verdict.
    my $active = $s->start_request(
        '/app/%20(idle)%0aNOTICE%20Killing/leak?mb=300&s=20');
    my $wsgi = AMGR::Case::Retire::leak($s, 300, 'shop');
    my $idle = AMGR::Case::Retire::leak($s, 200);
    ok(wait_until(sub { $syslog->datagrams >= 3 }, 30, 'lines'), 'lines came');
    ok(killing($syslog, $_), "of $_")
        for "native worker $idle", '(active)', "WSGI worker $wsgi (shop)";
    my @lines = $syslog->datagrams;
    is(scalar @lines, 3, 'one line each') or diag(@lines);
    is(scalar(my @tagged = grep { /^<12>\w{3} [ \d]\d [\d:]{8} apache-manager\[\d+\]: NOTICE Killing [ -~]+\z/ } @lines),
       3, 'of user.warning, with tag and pid, in one printable line')
        or diag(@lines);
    my ($pid) = $lines[0] =~ /apache-manager\[(\d+)\]/;
    is($pid, scalar $s->ticker_pid, 'the pid is the ticker\'s');
    $active->close_now;
    dry_run($s, $syslog);
    counted($s, map { AMGR::Syslog::file_line($_) } $syslog->datagrams);
    $s->stop_ok;
    return;
}

sub killing {
    my ($syslog, $what) = @_;
    return scalar grep { /NOTICE Killing .*\Q$what\E/s } $syslog->datagrams;
}

# What would be done is never told in the words for what is.
sub dry_run {
    my ($s, $syslog) = @_;
    my $before = $syslog->datagrams;
    $s->set_config("$s->{config}ManagerDryRun On\n");
    $s->graceful;
    AMGR::Case::Retire::grow_up($s);
    my $pid = AMGR::Case::Retire::leak($s, 200);
    ok(wait_until(sub { $syslog->datagrams > $before }, 30, 'a line'),
       'a dry run is told');
    my @lines = $syslog->datagrams;
    is(scalar @lines, $before + 1, 'once');
    like($lines[-1], qr/: NOTICE Would kill native worker $pid \(idle\) /,
         'as one');
    return;
}

# ---- the items of the log -------------------------------------------------

# A Zabbix server as far as an agent with active checks needs one: it is told
# what to watch, and sends what it finds.
sub counted {
    my ($s, @lines) = @_;
    my $file = $s->write('work/syslog', join('', @lines));
    my %key = map { (qq(log.count[$file,"$_"]) => $_) } sort keys %expected;
    my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
        or die "no socket: $!\n";
    my $config = write_config($s, $s->data_file,
        'ServerActive=127.0.0.1:' . $server->sockport . "\n"
        . "BufferSend=1\nRefreshActiveChecks=60\n");
    my (%count, $asked);
    start_agent($s, $config);
    my $select = IO::Select->new($server);
    my $deadline = time + 60;
    while (time < $deadline && keys %count < keys %expected) {
        $select->can_read(0.2) or next;
        my $agent = $server->accept or next;
        my $request = JSON::PP->new->utf8->decode(read_packet($agent) // '{}');
        my %answer = (response => 'success');
        if (($request->{request} // '') eq 'active checks') {
            $asked++;
            $answer{data} = [map { item($_) } sort keys %key];
        }
        for my $found (@{ $request->{data} // [] }) {
            my $expression = $key{ $found->{key} } // next;
            diag("$found->{key}: $found->{value}") if $found->{state};
            $count{$expression} += $found->{value} if !$found->{state};
        }
        print {$agent} packet(JSON::PP->new->utf8->encode(\%answer));
        close $agent;
    }
    ok($asked, 'the agent asked what to watch');
    is_deeply(\%count, \%expected, 'the agent counts each kind once');
    return;
}

sub item {
    my ($key) = @_;
    return { key => $key, key_orig => $key, itemid => ++$items, delay => 1,
             lastlogsize => 0, mtime => 0 };
}

# ---- the data file between rare ticks -------------------------------------

# A server that would tick once in an hour, whose clock runs faster: as much as
# makes the file due whenever the hook is called, every ten seconds, and no more,
# for the next tick must not come before the file was looked at.
sub rare {
    my ($name) = @_;
    # As many workers for good, whoever asks.
    my $s = AMGR::Httpd->new(mpm => 'prefork', name => "rare-$name",
        mpm_config => "StartServers 3\nMinSpareServers 1\n"
                      . "MaxSpareServers 6\nMaxRequestWorkers 10\n",
        interval => '1h', config => $name eq 'ticker' ? "ManagerSyslog On\n"
                                                      : '');
    $s->{env} = { LD_PRELOAD => $s->build_object('clock'),
                  AMGR_CLOCK => CLOCK_FACTOR };
    return $s->start;
}

sub requests {
    my ($s) = @_;
    my ($count) = $s->get('/manager-status/metrics')->content
        =~ /^apache_manager_requests_total (\d+)$/m;
    return $count // -1;
}

sub rarely_ticking {
    my ($s) = @_;
    my $name = $s->name;
    # The hook's first tick comes after ten seconds.
    ok(wait_until(sub { -s $s->data_file }, FILE_SEC, 'the data file'),
       "$name: the data file comes with the first tick");
    my $ticks = $s->json->{manager}{ticks};
    is($ticks, 1, "$name: one tick");
    my $before = $s->data;
    my $first = AMGR::Httpd::file_id($s->data_file);
    my $requests = requests($s);
    $s->get('/') for 1 .. 5;
    # It may be written between two of them, and then once more.
    my $now;
    ok(wait_until(sub {
        return 0 if AMGR::Httpd::file_id($s->data_file) eq $first;
        $now = $s->data;
        return $now->{'total-accesses'} >= $before->{'total-accesses'} + 5;
    }, FILE_SEC, 'the data file anew'),
       "$name: it is written again, with what was served since");
    cmp_ok(requests($s) - $requests, '>=', 5,
           "$name: counters have followed too");
    is($s->json->{manager}{ticks}, 1, "$name: without a tick");
    cmp_ok($now->{uptime}, '>', $before->{uptime}, "$name: with its uptime");
    is($now->{'memory-usage native count'}, 3, "$name: with its workers");
    is($now->{'status-response'}, 0, "$name: all was collected");
    $s->stop_ok;
    return;
}
