# SPDX-License-Identifier: Apache-2.0
#
# Retiring a worker loses no request: a server whose workers outgrow their
# limit by the very load they are under, clients that know what each answer
# must be, and the server's own graceful restarts in the same run to compare.
package AMGR::Case::Drain;

use strict;
use warnings;

use AMGR::Curl;
use AMGR::Httpd qw(wait_until);
use AMGR::Load;
use Apache::Test qw(-withtestmore);
use Compress::Zlib ();
use List::Util qw(max sum0);
use Time::HiRes qw(sleep time);

use constant {
    PATIENCE_SEC => 240,  # for a whole phase, on a loaded machine
    SETTLE_SEC   => 90,   # for what is pending
    PROCESSES    => 12,   # the MPM keeps them, whatever the load
    SMALL        => "small and known\n" x 8,
    # When restarts have fewer, as on prefork: measured were 0.00 to 0.09.
    STALE_RATE   => 0.1,
    HTTP2_TURNS  => 2,
};

# ---- the server ------------------------------------------------------------

# Some processes and room to replace a quarter of them at a time; nothing that
# makes the MPM itself end one.
sub sizes {
    my ($mpm) = @_;
    return <<"END" if $mpm eq 'prefork';
StartServers 24
MinSpareServers 12
MaxSpareServers 60
ServerLimit 64
MaxRequestWorkers 60
END
    return <<"END";
StartServers 16
ThreadsPerChild 10
ThreadLimit 10
MinSpareThreads 120
MaxSpareThreads 300
ServerLimit 32
MaxRequestWorkers 300
END
}

# What the MPM keeps idle, less the worker that answers the page.
sub spare { my ($mpm) = @_; return $mpm eq 'prefork' ? 11 : 119 }

# AddressSanitizer keeps what was freed: a worker outgrows by far what it uses.
my ($limit_mb, $leak_mb);
BEGIN { ($limit_mb, $leak_mb) = $ENV{AMGR_PRELOAD} ? (500, 120) : (64, 16) }

use constant LIMITS => <<"END";
ManagerMaxMemoryActive ${limit_mb}M
ManagerMinAge 1s
ManagerLameDuck 1s
ManagerGracePeriod 30s
ManagerMaxRetiring 25%
ManagerStormLimit Off
END

# Options: those of AMGR::Httpd, and tls => 1; limits replaces those above.
sub server {
    my ($mpm, %opt) = @_;
    my $limits = delete $opt{limits} // LIMITS;
    my $tls = delete $opt{tls};
    my @modules = ('wsgi', $tls ? qw(socache_shmcb ssl) : (),
                   @{ delete $opt{modules} // [] });
    my $config = delete $opt{config} // '';
    # What they say of each process and connection is nothing to read.
    my @quiet = ('info', map { "$_:error" } grep { /^(?:wsgi|ssl|http2)$/ }
                 @modules);
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             mpm_config => sizes($mpm),
                             log_level => "@quiet", %opt,
                             modules => \@modules);
    my $script = $s->wsgi_script;
    $s->{env}{LEAK_NOTES} = $s->write('work/notes', '', 0666);
    $s->write('htdocs/small.txt', SMALL);
    # Answers end connections only when the module says so.
    $config .= "MaxKeepAliveRequests 0\nWSGIScriptAlias /app $script\n$limits";
    $config .= tls_config($s) if $tls;
    $s->{config} .= $config;
    return $s->start;
}

# A second port with TLS, so that the status can be asked as ever.
sub tls_config {
    my ($s) = @_;
    my ($key, $cert) = map { $s->path("conf/$_") } qw(key.pem cert.pem);
    my $log = $s->path('logs/openssl.log');
    system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test "
           . "-keyout $key -out $cert > $log 2>&1") == 0
        or die "no certificate: see $log\n";
    $s->{tls_port} = AMGR::Httpd::free_port();
    return <<"END";
Listen 127.0.0.1:$s->{tls_port}
SSLSessionCache shmcb:$s->{root}/run/ssl_scache(512000)
<VirtualHost 127.0.0.1:$s->{tls_port}>
    SSLEngine On
    SSLCertificateFile $cert
    SSLCertificateKeyFile $key
</VirtualHost>
END
}

# ---- the load --------------------------------------------------------------

sub small {
    my $crc = Compress::Zlib::crc32(SMALL);
    return sprintf '/small.txt#%d:%08x', length SMALL, $crc;
}

# Quick and slow answers, with a length and in chunks, over connections that
# are kept busy, kept and paused on, and not kept.
sub base_load {
    my ($s, %opt) = @_;
    return AMGR::Load->start(
        port => $s->{tls_port} // $s->port, tls => defined $s->{tls_port},
        timeout_ms => 60000, keep => 6, think => 10, think_ms => 25,
        fresh => 4,
        mix => ['1900:' . small(), '80:/app/pid', '8:/app/sleep?s=0.8',
                '6:/app/body?n=30000&s=0.6', '6:/app/body?n=90000&s=0.5&'
                . 'chunked=1'], %opt);
}

# What makes workers outgrow their limit: each of these keeps some megabytes
# more, and is still running when its process is over the limit.
sub leak_load {
    my ($s, %opt) = @_;
    return AMGR::Load->start(
        port => $s->{tls_port} // $s->port, tls => defined $s->{tls_port},
        timeout_ms => 60000, fresh => 2, think => 2, think_ms => 50,
        mix => ["1:/app/leak?mb=$leak_mb&s=0.4"], %opt);
}

# ---- what the server says --------------------------------------------------

sub natives {
    my ($json) = @_;
    return grep { $_->{kind} eq 'native' } @{ $json->{processes} };
}

sub serving {
    my ($json) = @_;
    return grep { $_->{state} eq 'serving' } natives($json);
}

# All records ever seen, by pid and time: there are more than the server keeps.
# One that was too large and idle all the time may follow when the leak is over
# and restarts are what is measured: it is not among them.
sub look {
    my ($d) = @_;
    my $json = $d->{s}->json;
    for my $record (@{ $json->{kills} }) {
        $d->{kills}{"$record->{pid} $record->{time}"} = $record
            if $record->{time} <= ($d->{until} // $record->{time})
            && $record->{time} >= ($d->{since} // 0);
    }
    return $json;
}

sub records {
    my ($d, $outcome) = @_;
    return grep { !$outcome || $_->{outcome} eq $outcome }
        values %{ $d->{kills} };
}

sub pending { my ($d) = @_; return records($d, 'pending') }

# ---- the phases ------------------------------------------------------------

# The module retires at least so many, while the load goes on.
sub retire {
    my ($d, $count) = @_;
    my $leak = leak_load($d->{s});
    ok(wait_until(sub {
        look($d);
        sleep 0.3; # the page is answered by the workers under test
        records($d, 'gone') >= $count;
    }, PATIENCE_SEC, "$count retirements"), "$d->{name}: $count retirements")
        or diag(scalar(records($d)) . ' decided, ' . pending($d) . ' pending');
    $d->{leak} = $leak->stop;
    settle($d);
    $d->{until} = max(map { $_->{time} } records($d));
    return;
}

# Nothing pending, nobody retiring, and as many workers as the MPM keeps.
sub settle {
    my ($d) = @_;
    my $last;
    my $ok = ok(wait_until(sub {
        $last = look($d);
        sleep 0.2;
        !pending($d) && natives($last) == serving($last)
            && serving($last) >= PROCESSES
            && $last->{server}{idle_workers} >= spare($d->{s}->mpm);
    }, SETTLE_SEC, 'rest'), "$d->{name}: who was retired is gone and replaced");
    diag(join "\n", map { "$_->{pid} $_->{state}" } natives($last)) unless $ok;
    return $ok;
}

# The server's own graceful restarts, until so many workers have gone that way.
sub restart {
    my ($d, $count) = @_;
    my $s = $d->{s};
    my $ended = 0;
    while ($ended < $count) {
        my @old = map { $_->{pid} } serving(look($d));
        $s->graceful or return fail("$d->{name}: graceful restart");
        wait_until(sub { !grep { AMGR::Httpd::is_alive($_) } @old },
                   SETTLE_SEC, 'the end of the old generation')
            or return fail("$d->{name}: the old generation ends");
        $ended += @old;
    }
    $d->{restarted} = $ended;
    return pass("$d->{name}: $ended ended by graceful restarts");
}

# ---- what is asserted ------------------------------------------------------

sub no_loss {
    my ($what, @results) = @_;
    my $hard = sum0(map { $_->{hard}{total} } @results);
    return is($hard, 0, "$what: no request is lost")
        || diag(join "\n", map { AMGR::Load->lost($_) } @results);
}

# A request on a kept connection that ends is asked again: the application has
# not seen it before, or it was lost in the middle.  Each client has paths and
# serials of its own.
sub none_twice {
    my ($d) = @_;
    my %ran;
    open my $notes, '<', $d->{s}->path('work/notes') or die "notes: $!\n";
    while (my $line = <$notes>) {
        $ran{$line}++;
    }
    cmp_ok(scalar keys %ran, '>', 100, "$d->{name}: the application ran");
    my @twice = grep { $ran{$_} > 1 } sort keys %ran;
    return is(join('', @twice), '', "$d->{name}: no request ran twice");
}

sub all_drained {
    my ($d, $least) = @_;
    my @records = records($d);
    cmp_ok(scalar @records, '>=', $least, "$d->{name}: retired");
    my %outcome;
    $outcome{"$_->{reason} $_->{action} $_->{outcome}"}++ for @records;
    is_deeply([keys %outcome], ['memory_active ask gone'],
              "$d->{name}: each was asked and went by itself")
        or diag(explain(\%outcome));
    my @own = grep { $_->{requests} && ($_->{request} // '') =~ m{/app/leak} }
        @records;
    cmp_ok(scalar @own, '>=', 1, "$d->{name}: some while the request ran that "
           . 'had made it too large');
    my @alive = grep { AMGR::Httpd::is_alive($_->{pid}) } @records;
    is(scalar @alive, 0, "$d->{name}: each is gone");
    my $killed = () = $d->{s}->log_lines(qr/\bSIGKILL\b/);
    is($killed, 0, "$d->{name}: nobody was killed");
    return;
}

# Kept connections that end under a request, for each process that ended.
sub stale_compared {
    my ($d, $retired, $restarted) = @_;
    my $stale = $retired->{stale} - $d->{before}{stale};
    my $by_module = $stale / records($d);
    my $by_restart = ($restarted->{stale} - $retired->{stale})
        / $d->{restarted};
    diag(sprintf '%s: %d requests; %d retired, %.2f stale each; %d ended by '
         . 'restarts, %.2f stale each; p50 %.1f ms, p99 %.0f ms, %.0f s',
         $d->{name}, $restarted->{requests} + $d->{leak}{requests},
         scalar(records($d)), $by_module, $d->{restarted}, $by_restart,
         $restarted->{latency_us}{p50} / 1000,
         $restarted->{latency_us}{p99} / 1000, $restarted->{seconds});
    # Few of many: chance is allowed for.
    my $expected = max($by_restart, STALE_RATE) * records($d);
    cmp_ok($stale, '<=', $expected + 3 * sqrt($expected + 1),
           "$d->{name}: no more stale connections than by restarts");
    return;
}

sub begin {
    my ($mpm, %opt) = @_;
    my $s = server($mpm, %opt);
    my $d = { s => $s, name => $s->name, kills => {} };
    $d->{base} = base_load($s);
    # While threads and interpreters start, the server itself ends a few kept
    # connections.
    $d->{before} = $d->{base}->wait_for(5000, 60);
    ok($d->{before}, "$d->{name}: under load");
    return $d;
}

# ---- the tests -------------------------------------------------------------

# Options: those of server(), and how many at least: retired, restarted,
# requests.
sub run {
    my ($mpm, %opt) = @_;
    my %least = map { $_ => delete $opt{$_} } qw(retired restarted requests);
    my $d = begin($mpm, %opt);
    retire($d, $least{retired});
    my $retired = $d->{base}->progress;
    restart($d, $least{restarted});
    my $more = $least{requests} - $d->{leak}{requests};
    ok($d->{base}->wait_for($more, PATIENCE_SEC),
       "$d->{name}: $least{requests} requests");
    settle($d);
    my $all = $d->{base}->stop;
    no_loss($d->{name}, $all, $d->{leak});
    none_twice($d);
    all_drained($d, $least{retired});
    stale_compared($d, $retired, $all);
    $d->{s}->stop_ok;
    done_testing();
    return;
}

# HTTP/2, where a graceful restart itself loses some: connections that the
# server had hardly greeted when it was told to go.
sub http2 {
    my (%least) = @_;
    my $s = server('event', tls => 1, modules => ['http2'],
                   config => "Protocols h2 http/1.1\n", name => 'http2');
    my $d = { s => $s, name => $s->name, kills => {} };
    my $curl = AMGR::Curl->start(
        port => $s->{tls_port}, clients => 4, dir => $s->path('work'),
        mix => ['85:/app/pid', '5:/app/sleep?s=0.5',
                '5:/app/body?n=30000&s=0.4',
                '5:/app/body?n=90000&s=0.3&chunked=1']);
    ok($curl->wait_for(400, 60), "$d->{name}: under load");
    is($curl->progress->{failed}, 0, "$d->{name}: nothing fails by itself");
    ok($curl->wait_for(2000, 60), "$d->{name}: interpreters have started");
    my %lost = map { $_ => { failed => 0, torn => 0 } } qw(retired restarted);
    my @leaks;
    my $ended = 0;
    # By turns, so that both are done while the machine is as busy.
    for my $turn (1 .. HTTP2_TURNS) {
        my @at = $curl->progress;
        $d->{since} = time;
        delete $d->{until};
        retire($d, $least{retired} * $turn / HTTP2_TURNS);
        push @leaks, $d->{leak};
        push @at, $curl->progress;
        restart($d, $least{restarted} / HTTP2_TURNS);
        $ended += $d->{restarted};
        push @at, $curl->progress;
        for my $what (qw(failed torn)) {
            $lost{retired}{$what} += $at[1]{$what} - $at[0]{$what};
            $lost{restarted}{$what} += $at[2]{$what} - $at[1]{$what};
        }
    }
    my $all = $curl->stop;
    cmp_ok($all->{requests}, '>=', $least{requests}, "$d->{name}: requests");
    no_loss("$d->{name}: HTTP/1.1 beside it", @leaks);
    all_drained($d, $least{retired});
    # A connection fails with all that is on it: they are counted, and chance
    # is allowed for.
    my $expected = $lost{restarted}{torn} / $ended * records($d);
    diag(sprintf '%s: %d requests; %d retired, %d failed in %d connections; '
         . '%d ended by restarts, %d failed in %d connections', $d->{name},
         $all->{requests}, scalar(records($d)), $lost{retired}{failed},
         $lost{retired}{torn}, $ended, $lost{restarted}{failed},
         $lost{restarted}{torn});
    cmp_ok($lost{retired}{torn}, '<=', $expected + 3 * sqrt($expected + 1),
           "$d->{name}: no more is lost than by restarts")
        or diag(join "\n", @{ $all->{words} });
    $s->stop_ok;
    done_testing();
    return;
}

# Graceful restarts while workers are being retired.
sub amid_restarts {
    my ($mpm, %least) = @_;
    my $d = begin($mpm, name => "$mpm-amid");
    my $leak = leak_load($d->{s});
    for my $restart (1 .. $least{restarts}) {
        my $since = time;
        ok(wait_until(sub {
            look($d);
            sleep 0.1;
            2 <= grep { $_->{time} > $since } pending($d);
        }, PATIENCE_SEC, 'two pending'), "$d->{name}: some are being retired");
        ok($d->{s}->graceful, "$d->{name}: graceful restart $restart");
    }
    $d->{leak} = $leak->stop;
    settle($d);
    no_loss($d->{name}, $d->{base}->stop, $d->{leak});
    none_twice($d);
    my @records = records($d);
    cmp_ok(scalar @records, '>=', 2 * $least{restarts}, 'retired');
    my %outcome;
    $outcome{"$_->{action} $_->{outcome}"}++ for @records;
    # Who was announced only may have gone with its generation.
    is_deeply([grep { !/^(?:ask|announce) (?:gone|vanished)$/ }
               keys %outcome], [], "$d->{name}: nobody was killed")
        or diag(explain(\%outcome));
    my @alive = grep { AMGR::Httpd::is_alive($_->{pid}) } @records;
    is(scalar @alive, 0, "$d->{name}: each is gone");
    $d->{s}->stop_ok;
    done_testing();
    return;
}

1;
