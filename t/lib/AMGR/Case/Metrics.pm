# SPDX-License-Identifier: Apache-2.0
#
# Metrics of one server: both formats at any time, what status.json says, no
# counter that goes back, and the names of apache_exporter next to the real one.
package AMGR::Case::Metrics;

use strict;
use warnings;

use AMGR::Cli qw(cli);
use AMGR::Case::Retire;
use AMGR::Exposition;
use AMGR::Schema qw(schema_errors);
use AMGR::Httpd qw(repo_dir wait_until);
use AMGR::Load;
use AMGR::Prometheus qw(promtool);
use Apache::Test qw(-withtestmore);
use JSON::PP qw(decode_json);
use IO::Socket::INET;
use LWP::UserAgent;
use POSIX ();
use Time::HiRes qw(sleep time);

use constant {
    PATH     => '/manager-status/metrics',
    OPEN     => 'application/openmetrics-text',
    NATIVE   => 'apache_manager_',
    RESTARTS => 3,
    KILLS    => 2,
};

my %type = (
    text        => 'text/plain; version=0.0.4; charset=utf-8',
    openmetrics => 'application/openmetrics-text; version=1.0.0; charset=utf-8',
);

my $limits = <<'END';
ManagerMaxMemoryIdle 150M
ManagerMaxMemoryActive 5G
ManagerHardMemory 6G
ManagerMaxMemoryTotal 95%
ManagerMaxTime 1h
ManagerMaxLifetime 1d
ManagerMaxGenerationAge 1h
ManagerStormLimit Off
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END

sub run {
    my ($mpm) = @_;
    my $s = server($mpm);
    # What the hostile lines are answered with.
    $s->expect_log(qr/\[core:error\].*AH00(?:135|126|036|565|566)|AH10244/,
                   qr/AMGR0013: ExtendedStatus is Off/);
    types($s);
    my $idle = clean($s, 'idle');
    families($idle, $mpm);
    agrees($s, $mpm);
    hostile($s);
    under_load($s);
    compat($s, $mpm);
    not_extended($s);
    full_restart($s);
    $s->stop_ok;
    done_testing();
    return;
}

# Of the third MPM what it alone decides.
sub counters {
    my ($mpm) = @_;
    my $s = server($mpm);
    under_load($s);
    full_restart($s);
    $s->stop_ok;
    done_testing();
    return;
}

sub server {
    my ($mpm) = @_;
    my $s = AMGR::Case::Retire::server($mpm, $limits, interval => '200ms',
        modules => ['status'], name => "$mpm-metrics",
        mpm_config => sizes($mpm));
    $s->{config_native} = $s->{config};
    ok(wait_until(sub { ($s->json->{manager}{ticks} // 0) > 1 }, 30, 'ticks'),
       'it ticks');
    return $s;
}

# All of them from the start: nothing comes and goes while it is compared.
sub sizes {
    my ($mpm) = @_;
    return "StartServers 8\nMinSpareServers 8\nMaxSpareServers 12\n"
        . "ServerLimit 12\nMaxRequestWorkers 12\n" if $mpm eq 'prefork';
    return "StartServers 3\nThreadsPerChild 4\nThreadLimit 4\n"
        . "MinSpareThreads 12\nMaxSpareThreads 16\nServerLimit 8\n"
        . "MaxRequestWorkers 16\n";
}

# ---- the two formats -------------------------------------------------------

sub fetch {
    my ($s, $format) = @_;
    my @accept = $format eq 'text' ? () : (Accept => OPEN);
    return $s->get(PATH, @accept);
}

sub read_metrics {
    my ($s, $format) = @_;
    $format //= 'text';
    my $answer = fetch($s, $format);
    die 'metrics: ' . $answer->status_line . "\n" unless $answer->code == 200;
    return AMGR::Exposition->new($answer->content, $format);
}

sub types {
    my ($s) = @_;
    for my $format (sort keys %type) {
        my $answer = fetch($s, $format);
        is($answer->code, 200, "$format is there");
        is($answer->header('Content-Type'), $type{$format}, "$format: type");
    }
    return;
}

# In both formats alike, and as promtool likes it.
sub clean {
    my ($s, $what) = @_;
    my $text = fetch($s, 'text')->content;
    my $m = AMGR::Exposition->new($text, 'text');
    is_deeply([$m->errors], [], "$what: the text format");
    my $open = read_metrics($s, 'openmetrics');
    is_deeply([$open->errors], [], "$what: OpenMetrics");
    is_deeply([map { $_ . ($open->type($_) eq 'counter' ? '_total' : '') }
               $open->families], [$m->families], "$what: the same families");
    is_deeply([sort keys %{ $open->samples }], [sort keys %{ $m->samples }],
              "$what: the same samples");
    my ($said, $status) = promtool([qw(check metrics)], input => $text);
    is($status, 0, "$what: promtool check metrics") or diag($said);
    return $m;
}

# The table's, of one set of names.
sub table {
    my ($set) = @_;
    my $text = AMGR::Httpd::slurp(repo_dir() . '/src/render/metric_table.c');
    my @names;
    while ($text =~ /^\s*\Q$set\E\(\s*"(\w+)",\s*([A-Z]+),/mg) {
        push @names, ($set eq 'NATIVE' ? NATIVE : 'apache_') . $1
            . ($2 eq 'COUNTER' ? '_total' : '');
    }
    die "no row of $set\n" unless @names;
    return @names;
}

sub families {
    my ($m, $mpm) = @_;
    my @want = table('NATIVE');
    @want = grep { $_ ne NATIVE . 'connections' } @want if $mpm ne 'event';
    # Without managed processes there is nothing of them.
    @want = grep { !/^\Q@{[NATIVE]}\E(?:process|verifier|application|supervisor)_/ }
        @want;
    is_deeply([$m->families], \@want,
              'every family, in the order of the table');
    is_deeply([sort keys %{ $m->by_label(NATIVE . 'workers', 'state') }],
              [sort qw(waiting starting reading sending keepalive dns closing
                       logging graceful idle_cleanup open)], 'every state');
    is_deeply([sort keys %{ $m->by_label(NATIVE . 'limit_bytes', 'limit') }],
              [qw(memory_active memory_hard memory_idle memory_total)],
              'every limit of memory');
    is_deeply($m->by_label(NATIVE . 'limit_inert', 'limit'),
              { inert_limits() }, 'every limit that can be inert, and is not');
    cmp_ok($m->value(NATIVE . 'check_interval_seconds'), '==', 0.2,
           'ManagerInterval');
    is_deeply($m->by_label(NATIVE . 'limit_seconds', 'limit'),
              { time => 3600, hanging => 300, lifetime => 86400,
                generation => 3600 }, 'every limit of time');
    return;
}

# Those of $limits, while none is.
sub inert_limits {
    return map { $_ => 0 }
        qw(memory_active memory_idle memory_hard memory_total time);
}

# ---- what status.json says -------------------------------------------------

# Of one tick and without other requests: until an answer stands between two
# alike.
sub agrees {
    my ($s, $mpm) = @_;
    my ($m, $json);
    ok(wait_until(sub {
        my $before = $s->json;
        $m = read_metrics($s);
        $json = $s->json;
        # The answer itself is being sent; on event the one before it may still
        # look as if it were.
        return figures($before) eq figures($json)
            && $m->value(NATIVE . 'workers', state => 'sending') == 1;
    }, 30, 'a quiet moment'), 'a quiet moment, and one is sending');
    my $value = sub { $m->value(NATIVE . $_[0], @_[1 .. $#_]) };
    my $server = $json->{server};
    is($value->('workers_max'), $server->{max_workers}, 'workers_max');
    is($value->('config_generation'), 1, 'config_generation');
    is($value->('build_info', version => version(), mpm => $mpm,
                server => $server->{version}), 1, 'build_info');
    is($value->('health'), $json->{manager}{health}, 'health');
    my $workers = $m->by_label(NATIVE . 'workers', 'state');
    my $sum = 0;
    $sum += $_ for values %$workers;
    is($sum, $server->{max_workers}, 'every slot is in one state');
    my @native = grep { $_->{kind} eq 'native' } @{ $json->{processes} };
    is($value->('children', state => 'active'), scalar @native, 'children');
    for my $group (@{ $json->{groups} }) {
        my @labels = (group => $group->{name},
                      role => $group->{kind} eq 'native' ? 'worker' : 'helper');
        is($value->('group_processes', @labels), $group->{count},
           "$group->{name}: processes");
        my %key = (bytes => 'sum', min_bytes => 'min', max_bytes => 'max',
                   median_bytes => 'median');
        for my $end (sort keys %key) {
            my $got = $value->("group_resident_memory_$end", @labels);
            cmp_ok($got, '==', $group->{ $key{$end} },
                   "$group->{name}: $end");
        }
    }
    my $limits = $m->by_label(NATIVE . 'limit_bytes', 'limit');
    is($limits->{memory_idle}, 150 << 20, 'the idle limit');
    is($limits->{memory_total}, $json->{limits}{max_memory_total_bytes}
       // $limits->{memory_total}, 'the total limit');
    cmp_ok($value->('requests_total'), '<=', $server->{total_accesses},
           'requests_total is as of the last tick');
    ok(wait_until(sub {
        read_metrics($s)->value(NATIVE . 'requests_total')
            >= $server->{total_accesses};
    }, 30, 'requests_total'), 'and follows at the next');
    my $began = $value->('server_start_time_seconds');
    cmp_ok(abs($json->{time} - $server->{uptime_seconds} - $began), '<', 5,
           'server_start_time_seconds');
    my $tick = $value->('last_check_timestamp_seconds');
    cmp_ok(abs($json->{tick_time} - $tick), '<', 10, 'last_check');
    is($value->('check_duration_seconds_count'),
       $value->('check_duration_seconds_bucket', le => '+Inf'), 'ticks');
    cmp_ok(abs($value->('check_duration_seconds_count')
               - $value->('checks_total')), '<=', 1, 'each tick was measured');
    # The kernel counts it in hundredths of a second, as one or the other.
    ok(wait_until(sub {
        my $now = read_metrics($s);
        return grep { $now->value(NATIVE . 'cpu_seconds_total', mode => $_) > 0 }
            qw(user system);
    }, 30, 'CPU time'), 'CPU time');
    return;
}

sub figures {
    my ($json) = @_;
    return join ' ', scalar @{ $json->{processes} },
        map { "$_->{name} $_->{count} $_->{sum}" } @{ $json->{groups} };
}

sub version {
    my ($version) = AMGR::Httpd::slurp(repo_dir() . '/src/base/base.h')
        =~ /^#define AMGR_VERSION "(.*)"/m;
    return $version;
}

# ---- what clients can do ---------------------------------------------------

sub hostile {
    my ($s) = @_;
    my @held = map {
        AMGR::Request->new($s->port, "POST /$_ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                           . "Content-Length: 10\r\n\r\n1");
    } qq(x{a="hostile"}), qq(\xff\xfehostile), q(# TYPE hostile gauge);
    for my $line (qq(GET /"\\hostile\xff HTTP/1.1), 'GET /' . 'A' x 65536,
                  qq(hostile{} 1), qq(GET /\x01\x1b[31mhostile HTTP/1.1)) {
        $s->raw("$line\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    }
    my $m = clean($s, 'hostile');
    is(scalar(grep { /hostile/ } keys %{ $m->samples }), 0,
       'nothing of a client is in it');
    $_->close_now for @held;
    return;
}

# ---- counters --------------------------------------------------------------

# What may never fall: samples of counters, and of histograms.
sub counters_of {
    my ($m) = @_;
    my $samples = $m->samples;
    my %found;
    for my $key (keys %$samples) {
        $found{$key} = $samples->{$key}
            if $key =~ /_total\b|_(?:bucket|sum|count)\b/;
    }
    return \%found;
}

# Notes every fall since the last look.
sub look {
    my ($s, $seen) = @_;
    my $m = read_metrics($s);
    my $now = counters_of($m);
    $seen->{looks}++;
    push @{ $seen->{wrong} }, $m->errors;
    for my $key (keys %{ $seen->{last} }) {
        my ($was, $is) = ($seen->{last}{$key}, $now->{$key});
        push @{ $seen->{wrong} }, "$key is gone" unless defined $is;
        push @{ $seen->{wrong} }, "$key fell from $was to $is"
            if defined $is && $is < $was;
    }
    $seen->{last} = $now;
    $seen->{start} //= {};
    $seen->{start}{ $m->value(NATIVE . 'server_start_time_seconds') }++;
    return $m;
}

sub under_load {
    my ($s) = @_;
    my %seen;
    my $first = look($s, \%seen);
    my $load = AMGR::Load->start(port => $s->port, keep => 3, fresh => 2,
        mix => ['6:/app/pid', '1:/app/spin?s=0.02', '3:/index.html']);
    my $killed = sub {
        my $by = $_[0]->by_label(NATIVE . 'workers_killed_total', 'reason');
        return $by->{memory_idle};
    };
    for my $restart (1 .. RESTARTS) {
        $s->get('/app/leak?mb=160');
        my $until = time + 0.5;
        look($s, \%seen) while time < $until;
        ok($s->graceful, "graceful restart $restart");
        $until = time + 0.5;
        look($s, \%seen) while time < $until;
    }
    my $m;
    ok(wait_until(sub {
        $s->get('/app/leak?mb=160');
        $m = look($s, \%seen);
        $killed->($m) >= KILLS;
    }, 30, 'retirements'), 'workers are retired meanwhile');
    clean($s, 'under load');
    my $result = $load->stop;
    cmp_ok($result->{requests}, '>', 100, 'there was a load');
    my $grown;
    ok(wait_until(sub {
        $m = look($s, \%seen);
        $grown = $m->value(NATIVE . 'requests_total')
            - $first->value(NATIVE . 'requests_total');
        $grown >= $result->{requests};
    }, 30, 'all requests'), 'every request was counted');
    is_deeply($seen{wrong}, [], "no counter fell in $seen{looks} looks");
    is(scalar keys %{ $seen{start} }, 1, 'the start of the server stays');
    cmp_ok($seen{looks}, '>', 20, 'that is often');
    cmp_ok($grown, '<', $result->{requests} + 2000, 'and none twice');
    cmp_ok($m->value(NATIVE . 'cpu_seconds_total', mode => 'user'), '>',
           $first->value(NATIVE . 'cpu_seconds_total', mode => 'user'),
           'CPU time was used');
    retirements_agree($s, $m);
    return;
}

# Sums of the labels are those of status.json, once all is over.
sub retirements_agree {
    my ($s) = @_;
    my ($m, $json);
    ok(wait_until(sub {
        $m = read_metrics($s);
        $json = $s->json;
        my $sum = 0;
        $sum += $_ for values
            %{ $m->by_label(NATIVE . 'workers_killed_total', 'reason') };
        my $retired = $json->{manager}{killed_active}
            + $json->{manager}{killed_idle};
        my $gone = $m->value(NATIVE . 'workers_drained_total')
            + $m->value(NATIVE . 'workers_forced_total');
        return $sum == $retired && $gone == $retired
            && $m->value(NATIVE . 'processes_retiring') == 0;
    }, 30, 'the end of the retirements'), 'retirements add up');
    my $suppressed = $m->by_label(NATIVE . 'kills_suppressed_total', 'cause');
    for my $cause (sort keys %{ $json->{manager}{suppressed} }) {
        cmp_ok($suppressed->{$cause}, '==',
               $json->{manager}{suppressed}{$cause}, "suppressed: $cause");
    }
    return;
}

# The scoreboard's sums begin anew, what is made of them goes on, and the start
# of the server tells that there was one.
sub full_restart {
    my ($s) = @_;
    my %seen;
    my $before = look($s, \%seen);
    my $requests = $before->value(NATIVE . 'requests_total');
    cmp_ok($requests, '>', 100, 'there were requests');
    ok($s->restart, 'restart');
    ok(wait_until(sub { $s->json->{tick_time} }, 30, 'a tick'), 'it ticks');
    my $after = clean($s, 'after a restart');
    cmp_ok($after->value(NATIVE . 'server_start_time_seconds'), '>',
           $before->value(NATIVE . 'server_start_time_seconds'),
           'the server started later');
    cmp_ok($s->json->{server}{total_accesses}, '<', $requests,
           'the scoreboard is another');
    # More than this test asks for while it waits, so that they are told apart
    # from those when they are counted twice.
    my $more = 400;
    $s->get('/') for 1 .. $more;
    my $now;
    ok(wait_until(sub {
        $now = look($s, \%seen)->value(NATIVE . 'requests_total');
        $now >= $requests + $more;
    }, 30, 'more requests'), 'those after it are added');
    cmp_ok($now, '<', $requests + 1000, 'and nothing twice');
    # Whoever ticks from now on knows of the same start.
    ok($s->graceful, 'graceful restart');
    ok($s->wait_ticks(5), 'ticks');
    my $last = look($s, \%seen);
    cmp_ok($last->value(NATIVE . 'requests_total') - $now, '<', $more,
           'it counts nothing anew');
    is($last->value(NATIVE . 'server_start_time_seconds'),
       $after->value(NATIVE . 'server_start_time_seconds'),
       'and has no other start');
    is_deeply($seen{wrong}, [], 'no counter fell');
    return;
}

# Workers tell neither their requests nor their CPU time.
sub not_extended {
    my ($s) = @_;
    configure($s, "ExtendedStatus Off\n", 'ExtendedStatus Off');
    my $m = clean($s, 'ExtendedStatus Off');
    my %there = map { $_ => 1 } $m->families;
    is_deeply([grep { $there{ NATIVE . $_ } }
               qw(requests_total sent_bytes_total
                  request_duration_seconds_total cpu_seconds_total)], [],
               'no sums of it');
    is_deeply($m->by_label(NATIVE . 'limit_inert', 'limit'),
              { inert_limits(), time => 1 }, 'nor what is over ManagerMaxTime');
    ok(!$there{ NATIVE . 'workers_hanging' }, 'nobody knows what hangs');
    is($s->json->{manager}{hanging}, undef, 'nor in status.json');
    my $text = $s->get('/manager-status/status.json')->content;
    is_deeply([schema_errors($text)], [], 'which obeys its schema');
    my @slots = map { @{ $_->{slots} } } @{ decode_json($text)->{processes} };
    is_deeply([grep { defined } map { @$_{qw(req dur conn child total cpu)},
                                      @{ $_->{acc} } } @slots], [],
              'nor does a worker have figures') or diag($text);
    my $r = cli({ as_user => 65534 }, '--url', $s->url('/manager-status'),
                '--once');
    like($r->{out}, qr/^ *\d+ native +serving .* n\/a /m, 'in the tool neither')
        or diag($r->{err});
    is($s->data->{'workers-hanging'}, 0, 'the data file has a number');
    ok($there{ NATIVE . 'workers' }, 'workers are there');
    configure($s, "ExtendedStatus Off\nManagerMetricsNames Compat\n",
              'both');
    my $its = read_metrics($s);
    is_deeply([grep { /cpu_time|accesses|duration|uptime|kilobytes/ }
               $its->families], [], 'nor of apache_exporter\'s');
    is($its->value('apache_cpuload'), 0, 'which says 0 of this');
    configure($s, '', 'ExtendedStatus On');
    return;
}

# More directives; over when no process of an older configuration may answer.
sub configure {
    my ($s, $more, $what) = @_;
    $s->set_config($s->{config_native} . $more);
    ok($s->graceful, $what);
    ok(wait_until(sub {
        my $json = $s->json;
        $json->{tick_time} && !grep {
            $_->{state} ne 'serving'
                || $_->{generation} != $json->{server}{generation}
        } grep { $_->{kind} eq 'native' } @{ $json->{processes} };
    }, 30, 'one generation'), "$what: one generation");
    ok($s->wait_ticks(3), "$what: the manager knows of it");
    return;
}

# ---- apache_exporter -------------------------------------------------------

sub compat {
    my ($s, $mpm) = @_;
    # A connection that the exporter keeps would be a worker to us alone.
    configure($s, "ManagerMetricsNames Compat\nKeepAlive Off\n",
              'ManagerMetricsNames Compat');
    my $exporter = start_exporter($s);
    my ($first, $its, @differ);
    # What other connections are at may differ for a moment.
    ok(wait_until(sub {
        $first = read_metrics($s);
        $its = scrape($exporter) or return;
        @differ = differences($first, $its, read_metrics($s));
        return !@differ;
    }, 30, 'the same values'), 'the same values')
        or diag(join "\n", @differ);
    kill 'TERM', $exporter->{pid};
    waitpid $exporter->{pid}, 0;
    is_deeply([grep { !/^apache_/ } $first->families], [], 'its names alone');
    my @want = table('COMPAT');
    @want = grep { !/^apache_(?:processes|connections)$/ } @want
        if $mpm ne 'event';
    is_deeply([$first->families], \@want, 'every family');
    is_deeply([sort keys %{ $first->samples }], [its_keys($its)],
              'the same names and labels');
    for my $family (grep { defined $its->type($_) } $first->families) {
        is($first->type($family), $its->type($family), "$family: its type");
    }
    configure($s, "ManagerMetricsNames Both\n", 'ManagerMetricsNames Both');
    my $both = read_metrics($s);
    is_deeply([$both->errors], [], 'both are clean');
    ok((grep { $_ eq 'apache_up' } $both->families)
       && (grep { $_ eq NATIVE . 'health' } $both->families), 'both are there');
    return;
}

# But what it says of itself.
sub its_keys {
    my ($its) = @_;
    return sort grep { !/^apache_exporter_/ } keys %{ $its->samples };
}

# A value of its own lies between ours before and after, but for what moves
# with the clock, and CPU time, of which the scoreboard's part is late.
sub differences {
    my ($first, $its, $last) = @_;
    my @wrong;
    for my $key (its_keys($its)) {
        my ($low, $value, $high) = map { $_->samples->{$key} }
            $first, $its, $last;
        next if !defined $low || !defined $high; # told with the names
        my $slack = $key =~ /cpu_time/ ? 1500
            : $key =~ /uptime|duration_ms|_kilobytes/ ? 2
            : $key =~ /cpuload/ ? 20
            : $key =~ /apache_load/ ? 1
            : $key =~ /accesses/ ? 5 # as of a tick before
            : $key =~ /connections/ ? 2 : 0;
        push @wrong, "$key: ours $low to $high, its $value"
            if $value < $low - $slack || $value > $high + $slack;
    }
    return @wrong;
}

sub start_exporter {
    my ($s) = @_;
    my $port = AMGR::Httpd::free_port();
    my $log = $s->path('logs/exporter.log');
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDOUT, '>', $log;
        open STDERR, '>&', \*STDOUT;
        exec qw(setpriv --pdeathsig KILL prometheus-apache-exporter),
            "--telemetry.address=127.0.0.1:$port",
            '--scrape_uri=' . $s->url('/server-status?auto')
            or POSIX::_exit(127);
    }
    return { pid => $pid, url => "http://127.0.0.1:$port/metrics",
             agent => LWP::UserAgent->new(timeout => 20) };
}

# What it says now, without what it says of itself; nothing before it listens.
sub scrape {
    my ($exporter) = @_;
    my $answer = $exporter->{agent}->get($exporter->{url});
    return unless $answer->code == 200;
    my $text = join '', grep { /^(?:# (?:HELP|TYPE) )?apache_/ }
        map { "$_\n" } split /\n/, $answer->content;
    return AMGR::Exposition->new($text, 'text');
}

1;
