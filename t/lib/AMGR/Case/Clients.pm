# SPDX-License-Identifier: Apache-2.0
#
# The programs that read mod_status, pointed at our page: each gets the values
# that mod_status of the same server has at that moment, and so does the same
# program pointed there, which shows that what is expected of it is right.
package AMGR::Case::Clients;

use strict;
use warnings;

use AMGR::Client qw(place run_program);
use AMGR::Client::Apache2ctl;
use AMGR::Client::Collectd;
use AMGR::Client::Exporter;
use AMGR::Client::HttpdStatus;
use AMGR::Client::Monit;
use AMGR::Client::Munin;
use AMGR::Client::Rules;
use AMGR::Client::Span;
use AMGR::Httpd qw(wait_until);
use AMGR::Load;
use AMGR::Request;
use Apache::Test qw(-withtestmore);
use Compress::Zlib qw(crc32);

use constant {
    OURS   => '/manager-status',
    THEIRS => '/server-status',
    WAIT   => 40,
    FAILED => 1,     # seconds for each value once one has been wrong
    LOADED => 25,    # readings under load
};

my @programs = map { "AMGR::Client::$_" }
    qw(Exporter Collectd Munin Monit HttpdStatus Apache2ctl);

# Sizes that stay as they are while some workers are busy.
my %sizes = (
    prefork => <<'END',
StartServers 8
MinSpareServers 1
MaxSpareServers 20
ServerLimit 12
MaxRequestWorkers 12
END
    event => <<'END',
StartServers 2
ThreadsPerChild 5
ThreadLimit 5
MinSpareThreads 1
MaxSpareThreads 25
ServerLimit 5
MaxRequestWorkers 20
END
);

my @hostile = ("GET /<b>\"x&y HTTP/1.1", "GET /\xff\xfe</script> HTTP/1.1",
               "GET /a%0aBusyWorkers:%2099 HTTP/1.1",
               "GET /Scoreboard:\t1 HTTP/1.1", "\e[31m / HTTP/1.1",
               'GET /' . 'x' x 9000 . ' HTTP/1.1');

sub server {
    my ($mpm, $name, $config) = @_;
    return AMGR::Httpd->new(
        mpm => $mpm, name => "$mpm, $name", interval => '500ms',
        modules => ['status'], mpm_config => $sizes{$mpm},
        config => <<"END")->start;
<Location "@{[THEIRS]}">
    SetHandler server-status
    Require local
</Location>
ManagerServerStatus Off
KeepAliveTimeout 300ms
Timeout 300
$config
<VirtualHost *>
    ServerName 127.0.0.1
</VirtualHost>
<VirtualHost *>
    ServerName kept.example
    KeepAliveTimeout 60s
</VirtualHost>
END
}

sub run {
    my ($mpm) = @_;
    my $s = server($mpm, 'extended status', '');
    my $clients = clients($s);
    nothing_served($s, $clients);
    everybody($s, $clients, 'idle');
    munin_words($s, $clients, 'yes');
    hostile($s);
    my @held = hold($s);
    everybody($s, $clients, 'busy');
    limits($s, $clients);
    check_http($s);
    check_httpd_status($s);
    fullstatus($clients);
    restarted($s, $clients);
    $_->close_now for @held;
    under_load($s, $clients);
    leave($s, $clients);
    plain($mpm);
    done_testing();
    return;
}

# Each program twice: [ours, theirs].
sub clients {
    my ($s) = @_;
    return { map {
        my $class = $_;
        my $name = $class->name;
        ($name => [$class->start(place($s, OURS, $name)),
                   $class->start(place($s, THEIRS, "$name-mod_status"))]);
    } @programs };
}

sub leave {
    my ($s, $clients) = @_;
    $_->stop for map { @$_ } values %$clients;
    return $s->stop_ok;
}

sub auto_text {
    my ($s) = @_;
    return $s->get(THEIRS . '?auto')->content;
}

my $kept = 0;    # connections, by hold()

# Connections between two requests: a worker's on prefork; event counts them
# when its listener next has to wake.
sub kept {
    my ($now) = @_;
    return $now->{'letter K'} + ($now->{ConnsAsyncKeepAlive} // 0);
}

# The same, once no client keeps a connection that its next request may take.
sub settled_text {
    my ($s) = @_;
    my $text;
    wait_until(sub {
        $text = auto_text($s);
        kept(AMGR::Client::Span::parse($text)) == $kept;
    }, WAIT, 'no kept connection');
    return $text;
}

# ---- values ------------------------------------------------------------------

my $patience = WAIT;

# Again when a connection of before was still being closed.
sub same {
    my ($s, $what, $ask, $key_of, $default) = @_;
    my @wrong;
    wait_until(sub {
        my $before = settled_text($s);
        my $found = $ask->();
        my $span = AMGR::Client::Span->new($before, auto_text($s));
        my $error = delete $found->{error};
        @wrong = $span->wrong($found, $key_of, $default);
        push @wrong, $error if defined $error;
        return !@wrong;
    }, $patience, "$what: the same values") or $patience = FAILED;
    return is(join("\n", @wrong), '', $what);
}

sub everybody {
    my ($s, $clients, $when) = @_;
    my $who = $s->name;
    for my $name (sort keys %$clients) {
        my ($ours, $theirs) = @{ $clients->{$name} };
        same($s, "$who, $when: $name and mod_status", sub { $theirs->ask },
             $theirs->key_of, $theirs->default);
        same($s, "$who, $when: $name", sub { $ours->ask }, $ours->key_of,
             $ours->default);
    }
    for my $name (AMGR::Client::Rules::names()) {
        same($s, "$who, $when: the rules of $name",
             sub { return by_rules($name, $s->get(OURS . '?auto')) },
             AMGR::Client::Rules::key_of($name), {});
    }
    my @wrong;
    wait_until(sub {
        @wrong = unlike_json($s);
        return !@wrong;
    }, WAIT, "$who, $when: status.json says the same");
    is(join("\n", @wrong), '', "$who, $when: ?auto and status.json");
    return;
}

sub by_rules {
    my ($name, $answer) = @_;
    my $found = eval {
        AMGR::Client::Rules::of($name, $answer->content,
                                $answer->headers->as_string);
    };
    return $found // { error => $@ };
}

sub unlike_json {
    my ($s) = @_;
    my $before = $s->json->{server};
    my $auto = AMGR::Client::Span::parse($s->get(OURS . '?auto')->content);
    my $after = $s->json->{server};
    my %same = (BusyWorkers => 'busy_workers', IdleWorkers => 'idle_workers',
                GracefulWorkers => 'graceful_workers',
                ParentServerMPMGeneration => 'generation');
    my @wrong = map { "$_: $auto->{$_} instead of $before->{ $same{$_} }" }
        grep { $auto->{$_} != $before->{ $same{$_} } } sort keys %same;
    my $all = $auto->{'Total Accesses'};
    push @wrong, "$all accesses, not $before->{total_accesses} to "
        . $after->{total_accesses}
        if defined $all && ($all < $before->{total_accesses}
                            || $all > $after->{total_accesses});
    return @wrong;
}

# ---- situations --------------------------------------------------------------

# The first request of all is the client's own.
sub nothing_served {
    my ($s, $clients) = @_;
    my $who = $s->name . ', nothing served';
    my ($exporter) = @{ $clients->{apache_exporter} };
    for my $count (0, 1) {
        # The request before is over, which asking would make untrue.
        ok(wait_until(sub {
            my $now = $s->data;
            ($now->{'total-accesses'} // -1) == $count
                && $now->{'busy-workers'} == 0;
        }, WAIT, 'rest'), "$who: at rest");
        my $found = $exporter->ask;
        is($found->{error}, undef, "$who: a scrape") or return;
        is($found->{accesses_total}, $count, "$who: its own request")
            or return;
        cmp_ok($found->{sent_kilobytes_total}, '<=', 3, "$who: few bytes");
        is($found->{'workers{state="busy"}'}, 1, "$who: one worker is busy");
    }
    return;
}

sub hostile {
    my ($s) = @_;
    for my $line (@hostile) {
        $s->raw("$line\r\nHost: 127.0.0.1\r\nReferer: \"<b>\r\n"
                . "Connection: close\r\n\r\n");
    }
    return;
}

# Three requests whose bodies do not come, one whose head does not, and on
# prefork a connection that is kept.
sub hold {
    my ($s) = @_;
    my $body = "POST /held HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        . "Content-Length: 9\r\n\r\n1";
    my @held = map { AMGR::Request->new($s->port, $_) }
        ($body) x 3, 'GET /he';
    if ($s->mpm eq 'prefork') {
        push @held, AMGR::Request->new(
            $s->port, "GET / HTTP/1.1\r\nHost: kept.example\r\n\r\n");
        $kept = 1;
    }
    ok(wait_until(sub {
        my $now = AMGR::Client::Span::parse(auto_text($s));
        $now->{'letter W'} == 4 && $now->{'letter R'} == 1
            && kept($now) == $kept;
    }, WAIT, 'busy workers'), $s->name . ': workers are busy');
    return @held;
}

# The requests that were held go on in the old generation.
sub restarted {
    my ($s, $clients) = @_;
    $kept = 0;
    ok($s->graceful, $s->name . ': a graceful restart');
    my ($letters, $is_stable) = ('', 0);
    ok(wait_until(sub {
        my $now = AMGR::Client::Span::parse(auto_text($s));
        my $sorted = join '', sort split //, $now->{Scoreboard};
        $is_stable = $sorted eq $letters ? $is_stable + 1 : 0;
        $letters = $sorted;
        $is_stable > 5 && $now->{'letter G'} >= 4;
    }, WAIT, 'workers that finish'), $s->name . ': workers finish');
    everybody($s, $clients, 'restarted');
    return;
}

# Nothing stands still: whatever is read is well formed, and no counter goes
# back.
sub under_load {
    my ($s, $clients) = @_;
    my $who = $s->name . ', under load';
    my $file = $s->get('/index.html')->content;
    my $load = AMGR::Load->start(port => $s->port, keep => 3, fresh => 2,
        think => 5, think_ms => 20, mix => [
            sprintf '1:/index.html#%d:%08x', length $file, crc32($file)]);
    $load->wait_for(200, WAIT);
    for my $name (sort keys %$clients) {
        my $client = $clients->{$name}[0];
        my $before = auto_text($s);
        my $found = $client->ask;
        my $error = delete $found->{error};
        my $span = AMGR::Client::Span->new($before, auto_text($s));
        is(join("\n", $span->misnamed($found, $client->key_of,
                                      $client->default), $error // ()), '',
           "$who: $name");
    }
    my (%last, @wrong);
    for my $time (1 .. LOADED) {
        my $answer = $s->get(OURS . '?auto');
        for my $name (AMGR::Client::Rules::names()) {
            my $found = by_rules($name, $answer);
            push @wrong, "$name: $found->{error}" if $found->{error};
        }
        my $now = AMGR::Client::Span::parse($answer->content);
        my $busy = 0;
        $busy += $now->{"letter $_"} for qw(R W K D C L);
        push @wrong, "$now->{BusyWorkers} busy, but $busy letters of them"
            if $now->{BusyWorkers} != $busy;
        push @wrong, "$_ goes back"
            for grep { $now->{$_} < ($last{$_} // 0) } 'Total Accesses',
            'Total kBytes', 'Total Duration', 'Uptime';
        %last = %$now;
    }
    is(join("\n", @wrong), '', "$who: rules");
    my $result = $load->stop;
    is($result->{hard}{total}, 0, "$who: nothing is lost")
        or diag(AMGR::Load->lost($result));
    return;
}

# As little as a server can tell.
sub plain {
    my ($mpm) = @_;
    my $s = server($mpm, 'plain', <<'END');
ExtendedStatus Off
ServerTokens Prod
<Location "/instead">
    SetHandler manager-status
    Require local
</Location>
END
    my $clients = clients($s);
    # An address of the administrator's choice.
    my $instead = AMGR::Client::Exporter->start(place($s, '/instead', 'else'));
    same($s, $s->name . ', elsewhere: apache_exporter',
         sub { $instead->ask }, $instead->key_of, $instead->default);
    $instead->stop;
    # It warns, which is told apart from what it cannot read.
    my ($check) = @{ delete $clients->{check_httpd_status} };
    everybody($s, $clients, 'idle');
    munin_words($s, $clients, qr/^no \(ExtendedStatus option .* missing/);
    my $run = $check->call;
    is($run->{status}, 1, 'plain: check_httpd_status warns')
        or diag($run->{out});
    like($run->{out}, qr/"Total Accesses" not set.*\|.*\bSending=1;/,
         'plain: and has the rest');
    leave($s, $clients);
    return;
}

# ---- what programs say -------------------------------------------------------

sub munin_words {
    my ($s, $clients, $want) = @_;
    my $who = $s->name;
    my $port = $s->port;
    my %field = (accesses => ['accesses'], volume => ['volume'],
                 processes => [qw(busy idle free)]);
    for my $plugin (sort keys %field) {
        my ($ours, $theirs) = @{ $clients->{munin} };
        my $auto = $ours->call($plugin, 'autoconf');
        like($auto->{out}, ref $want ? $want : qr/^$want$/,
             "$who: munin's apache_$plugin autoconf");
        my $config = $ours->call($plugin, 'config');
        is($config->{status}, 0, "$who: apache_$plugin config");
        is(join(' ', grep { $config->{out} !~ /^$_$port\.label /m }
                @{ $field{$plugin} }), '', "$who: apache_$plugin has fields");
    }
    return;
}

sub limits {
    my ($s, $clients) = @_;
    my $who = $s->name;
    my ($monit) = @{ $clients->{monit} };
    my $held = qr/succeeded testing protocol \[APACHESTATUS\]/;
    my $failed = qr/failed protocol test \[APACHESTATUS\].*sending a reply/;
    my ($found, $holds, $fails);
    # Not while the connection of before is being closed.
    wait_until(sub {
        $found = $monit->ask;
        $holds = $monit->holds($found);
        $fails = $monit->fails($found, 'W');
        $holds =~ $held && $fails =~ $failed;
    }, WAIT, "$who: monit's limits");
    cmp_ok($found->{replylimit}, '>', 0, "$who: workers reply");
    like($holds, $held, "$who: monit's limits hold");
    unlike($holds, qr/failed/, "$who: and it complains of nothing");
    like($fails, $failed, "$who: a limit of monit's fails");
    unlike($fails, $held, "$who: and nothing held it");
    return;
}

my $plugins = '/usr/lib/nagios/plugins';

sub check_http {
    my ($s) = @_;
    my $place = place($s, OURS, 'check_http');
    my $busy = $s->mpm eq 'prefork' ? 6 : 5;
    my @text = ('-u', OURS . '?auto');
    my @page = ('-u', OURS);
    my @cases = (
        [0, @text, '-r', '^BusyWorkers: [0-9]+'],
        [0, @text, '-s', 'Scoreboard: '],
        [0, @text, '-d', 'Content-Type: text/plain'],
        [0, @text, '-l', '-r',
         "\nBusyWorkers: $busy\n.*\nIdleWorkers: [0-9]+\n"],
        [0, @text, '-m', '300:65535'],
        [2, @text, '-s', 'BusyServers: '],
        [2, @text, '-r', '^BusyWorkers: 7$'],
        [0, @page, '-s', "$busy requests currently being processed"],
        [0, @page, '-R', '[0-9]+ IDLE workers'],
        [0, @page, '-d', 'Content-Type: text/html'],
        [2, @page, '-s', 'IdleWorkers: '],
    );
    for my $case (@cases) {
        my ($want, @args) = @$case;
        my $run;
        my $name = "check_http @args" =~ s/\n/\\n/gr;
        # The connection of the last may still be open.
        wait_until(sub {
            $run = run_program($place, {}, "$plugins/check_http", '-I',
                               '127.0.0.1', '-p', $s->port, @args);
            $run->{status} == $want;
        }, WAIT, $name);
        is($run->{status}, $want, $s->name . ": $name")
            or diag("$run->{out}$run->{err}");
    }
    return;
}

# Free workers as its limits have them.
sub check_httpd_status {
    my ($s) = @_;
    my $check = AMGR::Client::HttpdStatus->start(
        place($s, OURS, 'limits-of-workers'));
    my $plain = $check->call_plainly('-w', '2:', '-c', '1:');
    is($plain->{status}, 0, $s->name . ': check_httpd_status of a host')
        or diag("$plain->{out}$plain->{err}");
    is($plain->{kept}, 1, 'its file of /tmp is where it should be, and gone');
    my @cases = ([0, 'OK', '2:', '1:'], [1, 'WARNING', '900:', '1:'],
                 [2, 'CRITICAL', '900:', '800:']);
    for my $case (@cases) {
        my ($want, $word, $warn, $crit) = @$case;
        my $run = $check->call('-w', $warn, '-c', $crit);
        is($run->{status}, $want,
           $s->name . ": check_httpd_status -w $warn -c $crit")
            or diag("$run->{out}$run->{err}");
        like($run->{out}, qr/^HTTPD_STATUS $word - /, 'and its word');
    }
    return;
}

sub fullstatus {
    my ($clients) = @_;
    my ($control) = @{ $clients->{apache2ctl} };
    my $s = $control->{place}{server};
    my $who = $s->name;
    my $short = $control->call('status');
    my $row = qr{^\s*\d+-\d+\s+\d+\s+\d+/\d+/\d+\s+W\b}m;
    is($short->{status}, 0, "$who: apache2ctl status");
    like($short->{out}, qr/\buptime\b/i, "$who: the uptime");
    unlike($short->{out}, $row, "$who: no table");
    my $full = $control->call('fullstatus', 'lynx -dump -width=200');
    is($full->{status}, 0, "$who: apache2ctl fullstatus");
    is($full->{err}, '', "$who: without a complaint");
    like($full->{out}, $row, "$who: a table");
    for my $pid ($s->workers) {
        like($full->{out}, qr{^\s*\d+-\d+\s+$pid\s}m, "$who: worker $pid");
    }
    unlike($full->{out}, qr/[\x00-\x09\x0b-\x1f\x7f]/, "$who: plain text");
    return;
}

1;
