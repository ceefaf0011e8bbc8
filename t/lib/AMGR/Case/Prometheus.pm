# SPDX-License-Identifier: Apache-2.0
#
# A real Prometheus, with the configuration and rules that are shipped, scrapes
# real servers: one with every kind of limit whose workers are retired, and one
# with default settings.  What the metrics, the rules and the dashboard promise
# must be there to be asked for.
package AMGR::Case::Prometheus;

use strict;
use warnings;

use AMGR::Dashboard;
use AMGR::Httpd qw(wait_until repo_dir);
use AMGR::Prometheus qw(promtool);
use Apache::Test qw(-withtestmore);
use Time::HiRes qw(time);

use constant {
    SCRAPE_SEC => 1,
    EVENT_SEC  => 60, # until a retirement has come to its end
    SEEN_SEC   => 60, # until Prometheus knows what has happened
};

# What is set in all of them; the idle limit is inert on purpose.
my $limits = <<'END_OF_LIMITS';
ManagerMinAge 1s
ManagerMaxMemoryActive 150M
ManagerMaxMemoryIdle 1M
ManagerHardMemory 4G
ManagerMaxMemoryTotal 90%
ManagerMaxTime 1s
ManagerHangingThreshold 500ms
ManagerMaxLifetime 1d
ManagerMaxGenerationAge 1h
CustomLog logs/types.log "%U %{Content-Type}o"
WSGIDaemonProcess shop processes=1 threads=2 display-name=%{GROUP} home=/
WSGIScriptAlias /shop SCRIPT process-group=shop
WSGIScriptAlias /app SCRIPT
END_OF_LIMITS

# Of which every figure there is of managed processes comes: one that runs, and
# one that has ended.
my $managed = <<'END';
<ManagedProcess beside>
    Command /bin/sleep 600
    Verify file /etc/passwd
    MaxMemory 1G
</ManagedProcess>
<ManagedProcess once>
    Command /bin/true
    Restart never
</ManagedProcess>
END

sub run {
    my ($mpm) = @_;
    my $begun = time;
    my $leaky = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                                 modules => ['wsgi'], name => "$mpm-leaky");
    my $script = $leaky->wsgi_script;
    $leaky->{config} = ($limits =~ s/SCRIPT/$script/gr) . $managed;
    $leaky->expect_log(qr/AMGR0004: .* inert/);
    my $quiet = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                                 name => "$mpm-quiet");
    $_->start for $leaky, $quiet;
    my %test = (mpm => $mpm, begun => $begun, leaky => $leaky,
                quiet => $quiet, of_leaky => of($leaky), of_quiet => of($quiet),
                prometheus => AMGR::Prometheus->new(
                    config => config($leaky) . page_job($quiet),
                    files => files($quiet)));
    scraped(\%test);
    retire(\%test);
    families(\%test);
    exposition($_) for $leaky, $quiet;
    values_agree(\%test);
    graceful(\%test);
    recorded(\%test);
    dashboard(\%test);
    servers_of_others(\%test);
    alerts_at_work(\%test);
    restarted(\%test);
    $quiet->stop_ok;
    $leaky->stop_ok;
    down(\%test);
    done_testing();
    return;
}

sub address { my ($s) = @_; return '127.0.0.1:' . $s->port }

# Its series.
sub of {
    my ($s) = @_;
    return 'job="apache_manager", instance="' . address($s) . '"';
}

# ---- what is shipped, pointed at our servers -------------------------------

sub shipped {
    my ($name) = @_;
    return AMGR::Httpd::slurp(repo_dir() . "/conf/$name");
}

# Nothing but addresses and intervals is changed.
sub config {
    my ($s) = @_;
    my $text = shipped('prometheus/prometheus.yml');
    my $address = address($s);
    my $interval = SCRAPE_SEC . 's';
    is($text =~ s/"localhost:80"/"$address"/g, 1, 'the server of the shipped '
       . 'configuration');
    is($text =~ s/^(  (?:scrape|evaluation)_interval:) 15s$/$1 $interval/mg, 2,
       'its intervals');
    return $text;
}

# A scraper that was told nothing but the page's address.
sub page_job {
    my ($s) = @_;
    my $address = address($s);
    return <<"END";
  - job_name: page
    metrics_path: /manager-status
    static_configs:
      - targets: ["$address"]
END
}

sub files {
    my ($s) = @_;
    my $address = address($s);
    my $text = shipped('prometheus/targets.example.yml');
    ok($text =~ s/^- targets: \[.*?\]\n/- targets: ["$address"]\n/m,
       'servers of a file');
    $text =~ s/\n- targets: \["intranet.*//s;
    return {
        'targets/shop.yml' => $text,
        'apache_manager.rules.yml' =>
            shipped('prometheus/apache_manager.rules.yml'),
    };
}

# ---- scraping ---------------------------------------------------------------

# Polls an expression that has at most one value.
sub wait_value {
    my ($test, $expr, $is_right, $what) = @_;
    my $value;
    my $ok = wait_until(sub {
        $value = $test->{prometheus}->value($expr);
        return defined $value && $is_right->($value);
    }, SEEN_SEC, $expr);
    return ok($ok, "$test->{mpm}: $what")
        || diag("$expr: " . ($value // 'nothing'));
}

sub scraped {
    my ($test) = @_;
    wait_value($test, 'sum(up{job="apache_manager"})', sub { $_[0] == 2 },
               'both servers are up');
    wait_value($test, 'up{job="page"}', sub { $_[0] == 1 },
               'and the page is read');
    wait_value($test, "min(apache_manager_checks_total) > 0", sub { 1 },
               'both have ticked');
    for my $target (@{ $test->{prometheus}->api('targets')->{activeTargets} }) {
        is($target->{health}, 'up', "$target->{scrapeUrl}: up");
        is($target->{lastError}, '', 'without an error');
    }
    my $page = 'scrape_samples_scraped{job="page"}';
    wait_value($test, $page, sub {
        $_[0] == $test->{prometheus}->value(
            "scrape_samples_scraped{$test->{of_quiet}}")
    }, 'the page itself gives the same to one who asks for metrics');
    my @found = $test->{prometheus}->query(
        "apache_manager_build_info{$test->{of_quiet}}");
    is($found[0]{metric}{cluster}, 'shop', 'with the labels of its file');
    # A label of the metrics that a label of the target had pushed aside.
    my @renamed = grep { /^exported_/ }
        @{ $test->{prometheus}->api('labels') };
    is("@renamed", '', 'no label of the metrics was renamed');
    like(AMGR::Httpd::slurp($test->{leaky}->path('logs/types.log')),
         qr{^/manager-status/metrics application/openmetrics-text$}m,
         'Prometheus asked for OpenMetrics and got it');
    return;
}

# A daemon that leaks is asked to go, and a worker is killed with its request.
sub retire {
    my ($test) = @_;
    my ($leaky, $mpm) = @$test{qw(leaky mpm)};
    ok(wait_until(sub {
        !grep { ($_->{age_seconds} // 0) < 1.2 } @{ $leaky->json->{processes} }
    }, EVENT_SEC, 'workers of some age'), "$mpm: workers of some age");
    $leaky->get('/') for 1 .. 20;
    my $slow = $leaky->start_request('/app/sleep?s=60');
    # A tick in the middle of it may already end the daemon.
    $leaky->get('/shop/leak?mb=200');
    my %reason;
    ok(wait_until(sub {
        %reason = map { $_->{reason} => 1 }
            grep { $_->{outcome} eq 'gone' } @{ $leaky->json->{kills} };
        $reason{time} && $reason{memory_active};
    }, EVENT_SEC, 'both retirements'), "$mpm: two are retired")
        or diag(join ' ', sort keys %reason);
    $slow->close_now;
    for my $reason (qw(time memory_active)) {
        wait_value($test, 'apache_manager_workers_killed_total{'
                   . "$test->{of_leaky}, reason=\"$reason\"}",
                   sub { $_[0] >= 1 }, "Prometheus counts it: $reason");
    }
    wait_value($test, "apache_manager_requests_lost_total{$test->{of_leaky}}",
               sub { $_[0] >= 1 }, 'and the lost request');
    return;
}

# ---- what is there ----------------------------------------------------------

# { family => type } of a page in either format.
sub families_of {
    my ($text) = @_;
    return { $text =~ /^# TYPE (\S+) (\w+)$/mg };
}

sub names_known {
    my ($test) = @_;
    return { map { $_ => 1 }
             @{ $test->{prometheus}->api('label/__name__/values') } };
}

# What rules and dashboard take from the server.
sub names_asked {
    my $rules = shipped('prometheus/apache_manager.rules.yml');
    my @exprs = ($rules, map { $_->{expr} } the_dashboard()->queries);
    my %name = map { $_ => 1 }
        map { /(?<![:\w])(apache_manager_[a-z0-9_]+)(?=[\s{\[\)]|$)/mg }
        map { s/^ *#.*$|^ +- (?:name|record|alert):.*$|"[^"\n]*"//mgr } @exprs;
    return sort keys %name;
}

# The README's table of metrics, which is the code's: { family => type }.
sub families_told {
    my $readme = AMGR::Httpd::slurp(repo_dir() . '/README.md');
    return { $readme =~ /^\| `(apache_manager_\w+)` \| (\w+) \|/mg };
}

sub families {
    my ($test) = @_;
    my $known = names_known($test);
    my $type = families_told();
    cmp_ok(scalar keys %$type, '>=', 30, "$test->{mpm}: there are families");
    for my $family (grep { !is_of_other_mpm($test, $_) } sort keys %$type) {
        my @series = $type->{$family} eq 'histogram'
            ? map { "$family$_" } qw(_bucket _sum _count) : $family;
        my @missing = grep { !$known->{$_} } @series;
        is("@missing", '', "Prometheus has $family");
    }
    my $given = families_of($test->{leaky}->get('/manager-status/metrics')
                            ->content);
    my @untold = grep { !$type->{$_} } sort keys %$given;
    is("@untold", '', 'and there are no others');
    my @asked = names_asked();
    cmp_ok(scalar @asked, '>=', 30, 'rules and dashboard ask for metrics');
    my @unknown = grep { !$known->{$_} && !is_of_other_mpm($test, $_) } @asked;
    is("@unknown", '', 'all of which are there');
    return;
}

# Only event keeps connections without a worker.
sub is_of_other_mpm {
    my ($test, $expr) = @_;
    return $test->{mpm} ne 'event' && $expr =~ /\bapache_manager_connections\b/;
}

# As curl gets it.
sub exposition {
    my ($s) = @_;
    my $answer = $s->get('/manager-status/metrics');
    is($answer->header('Content-Type'),
       'text/plain; version=0.0.4; charset=utf-8', $s->name . ': its type');
    my ($out, $status) = promtool([qw(check metrics)],
                                  input => $answer->content);
    ok($status == 0 && $out eq '', $s->name . ': promtool check metrics')
        or diag($out);
    return;
}

# What Prometheus has taken is what status.json says.
sub values_agree {
    my ($test) = @_;
    my ($leaky, $p) = @$test{qw(leaky prometheus)};
    my $of = $test->{of_leaky};
    my %want = (
        "apache_manager_group_processes{$of, group=\"shop\", role=\"wsgi\"}"
            => 1,
        "apache_manager_limit_bytes{$of, limit=\"memory_active\"}"
            => 150 * 1024 * 1024,
        "apache_manager_limit_seconds{$of, limit=\"time\"}" => 1,
        "apache_manager_limit_inert{$of, limit=\"memory_idle\"}" => 1,
        "apache_manager_limit_inert{$of, limit=\"memory_hard\"}" => 0,
        "apache_manager_limit_inert{$of, limit=\"time\"}" => 0,
        "apache_manager_check_interval_seconds{$of}" => 0.2,
        "count(apache_manager_workers{$of})" => 11,
    );
    for my $expr (sort keys %want) {
        wait_value($test, $expr, sub { $_[0] == $want{$expr} },
                   "$expr is $want{$expr}");
    }
    # These may go on while they are looked at.
    my %told = (
        "apache_manager_workers_max{$of}"
            => sub { $_[0]{server}{max_workers} },
        "sum(apache_manager_workers_killed_total{$of})"
            => sub { my $manager = $_[0]{manager};
                     $manager->{killed_active} + $manager->{killed_idle} },
        "apache_manager_workers_drained_total{$of}"
            => sub { $_[0]{manager}{drained} },
        "apache_manager_workers_forced_total{$of}"
            => sub { $_[0]{manager}{forced} },
        "apache_manager_requests_lost_total{$of}"
            => sub { $_[0]{manager}{requests_lost} },
    );
    for my $expr (sort keys %told) {
        wait_value($test, $expr, sub { $_[0] == $told{$expr}->($leaky->json) },
                   "$expr is that of status.json");
    }
    # A worker that was killed without a request is none of its.
    my $ages = "apache_manager_request_age_at_kill_seconds_count{$of}";
    cmp_ok($p->value($ages), '>=', 1, 'the age of a lost request is counted');
    is($p->value("changes(apache_manager_server_start_time_seconds{$of}[1m])"),
       0, 'the time of the start stands still');
    # A sample that stands twice is no error to Prometheus, but one series.
    my $lines = sub {
        my $text = $test->{quiet}->get('/manager-status/metrics')->content;
        return scalar(my @samples = $text =~ /^[^#]/mg);
    };
    wait_value($test, "scrape_samples_scraped{$test->{of_quiet}}",
               sub { $_[0] == $lines->() }, 'as many samples as lines');
    wait_value($test, "count({__name__=~\"apache_manager_.*\", "
               . "$test->{of_quiet}})",
               sub { $_[0] == $lines->() }, 'each of which is a series');
    return;
}

# ---- rules and dashboard ----------------------------------------------------

sub recorded {
    my ($test) = @_;
    my $p = $test->{prometheus};
    my @groups = @{ $p->api('rules')->{groups} };
    my @rules = map { @{ $_->{rules} } } @groups;
    cmp_ok(scalar @rules, '>=', 20, "$test->{mpm}: rules are evaluated");
    for my $rule (@rules) {
        is($rule->{health}, 'ok', "$rule->{name}: without an error")
            or diag($rule->{lastError});
    }
    for my $rule (grep { $_->{type} eq 'recording' } @rules) {
        ok(wait_until(sub { has_data($p->query($rule->{name})) }, SEEN_SEC,
                      $rule->{name}), "$rule->{name}: has data");
    }
    for my $cluster ('shop', '') {
        is($p->value('cluster:apache_manager_instances:count'
                     . "{job=\"apache_manager\", cluster=\"$cluster\"}"), 1,
           "a server in the cluster '$cluster'");
    }
    return;
}

# A number in any of them; NaN is what has no value.
sub has_data {
    return scalar grep { $_ ne 'NaN' }
        map { @{ $_->{values} // [$_->{value}] } } @_;
}

sub the_dashboard {
    return AMGR::Dashboard->new(shipped('grafana/apache-manager.json'));
}

# All and one: as Grafana puts them in.  Its rate interval is four scrapes.
sub variables {
    my ($test) = @_;
    my %all = (datasource => 'prometheus', map({ $_ => '.*' }
               qw(job cluster instance)), __interval => '15s',
               __rate_interval => 4 * SCRAPE_SEC . 's', __range => '3h');
    return (\%all, { %all, job => 'apache_manager',
                     instance => address($test->{leaky}) =~ s/\./\\\\./gr });
}

sub dashboard {
    my ($test) = @_;
    my $dashboard = the_dashboard();
    is_deeply([$dashboard->problems], [], 'the dashboard is whole');
    my ($all, $one) = variables($test);
    for my $query ($dashboard->queries) {
        my ($where, $expr) = @$query{qw(where expr)};
        if (is_of_other_mpm($test, $expr)) {
            ok(!asked($test, $query, $all), "$where: nothing on $test->{mpm}");
            next;
        }
        # What was recorded a moment ago may be after the last step.
        for my $values ($all, $expr =~ /\bcluster:/ ? () : $one) {
            ok(wait_until(sub { asked($test, $query, $values) }, SEEN_SEC,
                          $expr),
               "$where: has data" . ($values == $one && ' of one server'));
        }
    }
    return;
}

sub asked {
    my ($test, $query, $values) = @_;
    my $p = $test->{prometheus};
    if ($query->{kind} eq 'variable') {
        my ($match, $label) = $query->{expr} =~ /^label_values\((.*), (\w+)\)$/
            or return;
        return scalar @{ $p->api("label/$label/values", 'match[]' =>
                                 AMGR::Dashboard::expand($match, $values)) };
    }
    my $expr = AMGR::Dashboard::expand($query->{expr}, $values);
    return has_data($query->{kind} eq 'instant' ? $p->query($expr)
                    : $p->query_range($expr, $test->{begun}, SCRAPE_SEC));
}

# Prometheus asks the page too, by a job that is not ours.
sub servers_of_others {
    my ($test) = @_;
    my ($all) = variables($test);
    my $p = $test->{prometheus};
    is($p->value('count(up)'), 3, 'there is a target of another job');
    my @queries = grep { $_->{where} =~ /^Servers up / }
        the_dashboard()->queries;
    is(scalar @queries, 2, 'servers that are up, of those asked');
    for my $query (@queries) {
        is($p->value(AMGR::Dashboard::expand($query->{expr}, $all)), 2,
           "$query->{where}: ours alone");
    }
    return;
}

# The values by instance of what marks graceful restarts, as of now.
sub marked {
    my ($test) = @_;
    my ($query) = grep { $_->{where} eq 'annotation Graceful restarts' }
        the_dashboard()->queries;
    my (undef, $values) = variables($test);
    return map { $_->{metric}{instance} => $_->{value} }
        $test->{prometheus}->query(AMGR::Dashboard::expand(
            $query->{expr}, { %$values, instance => '.*' }));
}

# Of both, so that each has something to mark.
sub graceful {
    my ($test) = @_;
    my @servers = @$test{qw(leaky quiet)};
    ok($_->graceful, $_->name . ': a graceful restart') for @servers;
    ok(wait_until(sub { scalar keys %{ { marked($test) } } == @servers },
                  SEEN_SEC, 'marks of graceful restarts'),
       "$test->{mpm}: each is marked");
    return;
}

# ---- alerts -----------------------------------------------------------------

sub alerts_of {
    my ($test, $s) = @_;
    return map { "$_->{labels}{alertname} $_->{state}" }
        grep { $_->{labels}{instance} eq address($s) }
        $test->{prometheus}->alerts;
}

sub wait_alert {
    my ($test, $s, $want) = @_;
    return ok(wait_until(sub { grep { $_ eq $want } alerts_of($test, $s) },
                         SEEN_SEC, $want), "$test->{mpm}: $want")
        || diag(join ', ', alerts_of($test, $s));
}

sub alerts_at_work {
    my ($test) = @_;
    wait_alert($test, $test->{leaky}, 'ApacheManagerLimitInert pending');
    is_deeply([grep { / firing$/ } alerts_of($test, $test->{leaky})], [],
              'what happened a moment ago is no alert yet');
    return;
}

sub restarted {
    my ($test) = @_;
    $test->{leaky}->restart;
    wait_alert($test, $test->{leaky}, 'ApacheManagerRestarted firing');
    is_deeply([keys %{ { marked($test) } }], [address($test->{quiet})],
              'which is marked as no graceful one');
    my @had = $test->{prometheus}->query(
        "max_over_time(ALERTS{$test->{of_quiet}}[1h])");
    is_deeply([map { $_->{metric}{alertname} } @had], [],
              'a server with default settings has had no alert, nor one '
              . 'pending');
    return;
}

sub down {
    my ($test) = @_;
    wait_alert($test, $_, 'ApacheManagerDown pending')
        for @$test{qw(leaky quiet)};
    $test->{prometheus}->stop_ok;
    return;
}

1;
