# SPDX-License-Identifier: Apache-2.0
#
# /manager-status?auto beside mod_status's own on the same server: the same
# keys in the same order with the same values, each line as its clients read it,
# and whatever other modules add.
package AMGR::Case::Auto;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use IO::Socket::INET;
use List::Util qw(max min);

use constant {
    OURS   => '/manager-status?auto',
    THEIRS => '/server-status?auto',
    # Label by label, as long as names may be, and not all of it ASCII.
    NAME   => "b\xc3\xbccher." . 'x' x 63 . '.' . 'y' x 63 . '.' . 'z' x 63
              . '.' . 'a' x 47 . '.example',
};

# Many slots of which few are in use; more than may be used, in both ways.
my %sizes = (
    prefork => <<'END',
StartServers 3
MinSpareServers 3
MaxSpareServers 6
ServerLimit 3100
MaxRequestWorkers 3000
END
    threads => <<'END',
StartServers 2
ThreadsPerChild 32
ThreadLimit 40
MinSpareThreads 32
MaxSpareThreads 128
ServerLimit 110
MaxRequestWorkers 3200
END
);

# What all servers have, and each its own way to count.
my @always = ('ServerVersion', 'ServerMPM', 'Server Built', 'CurrentTime',
    'RestartTime', 'ParentServerConfigGeneration',
    'ParentServerMPMGeneration', 'ServerUptimeSeconds', 'ServerUptime',
    'Load1', 'Load5', 'Load15');
my @extended = ('Total Accesses', 'Total kBytes', 'Total Duration', 'CPUUser',
    'CPUSystem', 'CPUChildrenUser', 'CPUChildrenSystem', 'CPULoad', 'Uptime',
    'ReqPerSec', 'BytesPerSec', 'BytesPerReq', 'DurationPerReq');
my @workers = qw(BusyWorkers GracefulWorkers IdleWorkers);
my @async = qw(Processes Stopping ConnsTotal ConnsAsyncWaitIO
    ConnsAsyncWriting ConnsAsyncKeepAlive ConnsAsyncClosing);

# Never the same twice, or by chance.
my %moves = map { $_ => 1 } ('CurrentTime', 'ServerUptime', 'Load1', 'Load5',
    'Load15', 'CPULoad', 'ReqPerSec', 'BytesPerSec', 'BytesPerReq',
    'DurationPerReq');

sub run {
    my ($mpm) = @_;
    my $backend = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                        LocalPort => 0)
        or die "no port of 127.0.0.1 can be bound: $!\n";
    my $tls = $mpm eq 'event';
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
        mpm_config => $sizes{$mpm} // $sizes{threads},
        modules => [qw(status proxy proxy_http proxy_balancer slotmem_shm
                       lbmethod_byrequests),
                    $tls ? qw(socache_shmcb ssl cache cache_socache) : ()]);
    my $lines = $s->build_object('mod_lines');
    my $config = config($s, $lines, $backend->sockport, $tls);
    $s->{config} = $config;
    # Debian's mod_ssl may be newer than its OpenSSL.
    $s->expect_log(qr/AH01882/) if $tls;
    $s->start;
    ok(wait_until(sub { $s->json->{manager}{ticks} > 1 }, 30, 'two ticks'),
       'it ticks');
    same_as_theirs($s, 'idle', @always, @extended, @workers,
                   $mpm eq 'event' ? @async : ());
    letters($s, $mpm);
    others($s, $tls);
    hostile_lines($s);
    names($s);
    tokens($s);
    headers($s);
    restarted($s, $mpm, $backend);
    $s->set_config("${config}ExtendedStatus Off\n");
    ok($s->graceful, 'ExtendedStatus Off');
    same_as_theirs($s, 'not extended', @always, @workers,
                   $mpm eq 'event' ? @async : ());
    $s->stop_ok;
    alone() if $mpm eq 'event';
    done_testing();
    return;
}

sub config {
    my ($s, $lines, $port, $tls) = @_;
    my $caches = <<'END';
SSLSessionCache shmcb:logs/cache(64000)
CacheSocache shmcb:logs/socache(64000)
END
    my $text = <<"END" . ($tls ? $caches : '');
ServerName @{[NAME]}
ServerTokens Prod
ManagerServerStatus Off
LoadModule lines_module $lines
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
ProxyStatus On
ProxyPass "/slow" "http://127.0.0.1:$port/"
<Proxy "balancer://pool">
    BalancerMember "http://127.0.0.1:$port"
    BalancerMember "http://127.0.0.1:9" status=+H
    BalancerMember "http://127.0.0.1:8/b\xfccher" status=+H
</Proxy>
END
    return $text;
}

sub body {
    my ($s, $path, @headers) = @_;
    my $answer = $s->get($path, @headers);
    die "$path: " . $answer->status_line . "\n" unless $answer->code == 200;
    return $answer->content;
}

# The first line, and [key, value] of each other; without a colon, [line].
sub pairs {
    my ($text) = @_;
    my ($name, @lines) = split /\n/, $text, -1;
    pop @lines if @lines && $lines[-1] eq '';
    return ($name, map { [split /:\s*/, $_, 2] } @lines);
}

sub values_of {
    my ($text) = @_;
    my (undef, @pairs) = pairs($text);
    return map { $_->[0] => $_->[1] } @pairs;
}

# ---- mod_status's words -----------------------------------------------------

sub same_as_theirs {
    my ($s, $when, @keys) = @_;
    my @wrong;
    # Both are answered by the server that they count.
    wait_until(sub { @wrong = differences($s, @keys); !@wrong }, 30,
               "$when: the same figures");
    is(join("\n", @wrong), '', "$when: as mod_status says it");
    return;
}

sub differences {
    my ($s, @keys) = @_;
    my ($before, $ours, $after) = map { body($s, $_) } THEIRS, OURS, THEIRS;
    my %want = values_of($before);
    my %more = values_of($after);
    my %got = values_of($ours);
    my ($name, @pairs) = pairs($ours);
    my ($theirs, @their) = pairs($before);
    my @wrong;

    push @wrong, shape($ours);
    my @core = grep { !/^(?:ApacheManager|ProxyB|TLSS|ModC|Cache)/ }
        map { $_->[0] } @pairs;
    push @wrong, "keys: @core" if "@core" ne "@keys Scoreboard";
    my @their_core = grep { !/^(?:ProxyB|TLSS|ModC|Cache)/ } map { $_->[0] } @their;
    push @wrong, "theirs: @their_core" if "@their_core" ne "@core";
    push @wrong, "$name, not $theirs" if $name ne $theirs;
    for my $key (grep { !$moves{$_} } @keys) {
        next if $got{$key} eq $want{$key};
        my ($low, $high) = (min($want{$key}, $more{$key}),
                            max($want{$key}, $more{$key}));
        push @wrong, "$key: $got{$key}, not $low to $high"
            if "$got{$key}$low$high" =~ /[^\d.]/
            || $got{$key} < $low || $got{$key} > $high;
    }
    push @wrong, 'Scoreboard: ' . packed($got{Scoreboard}) . ', not '
        . packed($want{Scoreboard})
        if sorted($got{Scoreboard}) ne sorted($want{Scoreboard});
    return @wrong, figures(\%got);
}

# Which worker answers is chance.
sub sorted { return join '', sort split //, $_[0] }

sub packed {
    my ($letters) = @_;
    $letters =~ s/((.)\2{3,})/"$2*" . length $1/ge;
    return $letters;
}

# The rules of all clients in one: no key twice, ours are one word and a whole
# number, the scoreboard is the last line and of known letters.
sub shape {
    my ($text) = @_;
    my ($name, @pairs) = pairs($text);
    my (%seen, @wrong);

    push @wrong, 'the first line is one of figures' if $name =~ /: |^$/;
    push @wrong, 'the last line does not end' if $text !~ /[^\n]\n\z/;
    for my $pair (@pairs) {
        my ($key, $value) = @$pair;
        push @wrong, "$key is there twice" if $seen{$key}++;
        push @wrong, "$key: $value" if $key =~ /^ApacheManager/
            && ($key !~ /^[A-Za-z0-9]+$/ || $value !~ /^\d+$/);
    }
    push @wrong, 'another line is the last' if $pairs[-1][0] ne 'Scoreboard';
    push @wrong, "letters: $pairs[-1][1]"
        if $pairs[-1][1] !~ /^[_SRWKDCLGI.]+$/;
    push @wrong, 'not ASCII' if $text =~ /[^\n -~]/;
    return @wrong;
}

# What moves has its form, and follows from the rest.
sub figures {
    my ($got) = @_;
    my @wrong;
    my %form = (
        CurrentTime  => qr/^[A-Z][a-z]+day, \d\d-[A-Z][a-z]{2}-\d{4} [\d:]{8} \S+$/,
        ServerUptime => qr/^(?:\d+ (?:day|hour|minute|second)s?(?: |$))*$/,
        (map { $_ => qr/^\d+\.\d\d$/ } qw(Load1 Load5 Load15)),
        (map { $_ => qr/^\d*\.?\d+$/ }
         qw(CPULoad ReqPerSec BytesPerSec BytesPerReq DurationPerReq)),
    );
    for my $key (sort keys %form) {
        push @wrong, "$key: $got->{$key}"
            if defined $got->{$key} && $got->{$key} !~ $form{$key};
    }
    return @wrong unless defined $got->{'Total Accesses'};
    my ($uptime, $accesses) = @$got{'Uptime', 'Total Accesses'};
    my %ratio = (
        ReqPerSec      => $accesses / ($uptime || 1),
        BytesPerSec    => $got->{'Total kBytes'} * 1024 / ($uptime || 1),
        BytesPerReq    => $got->{'Total kBytes'} * 1024 / $accesses,
        DurationPerReq => $got->{'Total Duration'} / $accesses,
        CPULoad        => 100 / ($uptime || 1) * eval {
            my $sum = 0;
            $sum += $got->{$_} for qw(CPUUser CPUSystem CPUChildrenUser
                                      CPUChildrenSystem);
            $sum;
        },
    );
    for my $key (sort keys %ratio) {
        push @wrong, "$key: $got->{$key}, not $ratio{$key}"
            if defined $got->{$key}
            && abs($got->{$key} - $ratio{$key}) > 1e-5 * $ratio{$key} + 1e-5;
    }
    return @wrong;
}

# ---- the scoreboard ---------------------------------------------------------

sub letters {
    my ($s, $mpm) = @_;
    my %got;
    # A worker that starts, or keeps a connection, is none of the two.
    ok(wait_until(sub {
        %got = values_of(body($s, OURS));
        return $got{Scoreboard} =~ /^[_W.]+$/;
    }, 30, 'a quiet server'), 'a quiet server');
    my $want = $mpm eq 'prefork' ? 3000 : 3200;
    is(length $got{Scoreboard}, $want, 'a letter for each slot that may be used');
    my $used = $got{Scoreboard} =~ tr/_W//;
    is($used, $got{BusyWorkers} + $got{IdleWorkers}, 'letters as counted');
    cmp_ok($used, '>=', 3, 'workers have letters');
    return;
}

# Processes that stop have more threads than those of now: their letters are
# there all the same.  One of so many requests has a thread beyond the fourth.
sub restarted {
    my ($s, $mpm, $backend) = @_;
    my $threads = $mpm ne 'prefork';
    my @slow = map { $s->start_request('/slow') } 1 .. ($threads ? 20 : 1);
    my @peers = map { scalar $backend->accept } @slow;
    if ($threads) {
        (my $fewer = $sizes{threads}) =~ s/PerChild 32/PerChild 4/;
        $fewer =~ s/RequestWorkers 3200/RequestWorkers 400/;
        $s->set_mpm_config($fewer);
    }
    ok($s->graceful, 'a graceful restart under a request');
    my %got;
    ok(wait_until(sub {
        %got = values_of(body($s, OURS));
        # On worker the threads go on as they were, and the others have gone.
        my $old = $got{Scoreboard} =~ tr/GW// - 1;
        $got{ParentServerMPMGeneration} == 1 && $old >= @slow
            && ($mpm ne 'event' || $got{Stopping} >= 1);
    }, 30, 'processes that stop'), 'processes stop');
    same_as_theirs($s, 'one stops', @always, @extended, @workers,
                   $mpm eq 'event' ? @async : ());
    is($got{ParentServerMPMGeneration}, 1, 'another generation');
    is($got{ParentServerConfigGeneration}, 2, 'another configuration');
    for my $peer (@peers) {
        print {$peer} "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
        close $peer;
    }
    is(scalar(grep { $_->wait(30) && $_->bytes =~ /ok\z/ } @slow), @slow,
       'the requests are answered');
    return;
}

# ---- other modules ----------------------------------------------------------

# Between ours and the scoreboard: their lines as mod_status has them, but for
# keys that it has twice and bytes that are no text.
sub others {
    my ($s, $tls) = @_;
    my $ours = body($s, OURS);
    my ($foreign) = $ours
        =~ /\nApacheManagerErrorsTotal: \d+\n(.*)^Scoreboard: \S+\n\z/ms;
    my ($want) = body($s, THEIRS) =~ /^Scoreboard: \S+\n(.*)\z/ms;
    my (%seen, @twice);
    my $once = join '', map {
        my ($key) = /^([^:\n]+)/;
        $seen{$key}++ ? (push @twice, $key) && () : $_;
    } $want =~ /^(.*\n)/mg;
    like($want, qr/[^\n -~]/, 'mod_status shows bytes as they are');
    $once =~ s/[^\n -~]/?/g;
    is($foreign, $once, 'the lines of other modules');
    like($foreign, qr{^ProxyBalancer\[0\]Worker\[2\]Name: .*/b\?cher$}m,
         'a name that is no UTF-8');
    cmp_ok(scalar @twice, '>=', 10, 'and mod_status has many twice') if $tls;
    like($foreign, qr{^ProxyBalancer\[0\]Name: balancer://pool$}m,
         'the balancer');
    like($foreign, qr/^ProxyBalancer\[0\]Worker\[1\]Status: Init Stby Ok $/m,
         'and its members');
    like($foreign, qr/^TLSSessionCacheStatus\nCacheType: SHMCB\n/m,
         'the cache of sessions') if $tls;
    return;
}

# Whatever else a module writes, and how.
sub hostile_lines {
    my ($s) = @_;
    my $want = "LinesFirst: 1\nLinesSecond: a: b\nLinesLast\n";
    for my $way (qw(text brigade)) {
        my $text = body($s, OURS, 'X-Lines' => $way);
        is(join("\n", shape($text)), '', "$way: it has its shape");
        like($text, qr/^ApacheManagerErrorsTotal: 0\n\Q$want\E/m,
             "$way: what can stand there does");
    }
    my $text = body($s, OURS, 'X-Lines' => 'much');
    my @many = $text =~ /^LinesMany\[(\d{5})\]: \d{39}$/mg;
    is(scalar @many, 20000, 'much: all lines');
    is("@many", join(' ', map { sprintf '%05d', $_ } 0 .. 19999),
       'much: in their order');
    like($text, qr/\A\S+\nServerVersion:\ .*\nLinesMany\[19999\]:\ \d+\n
                   (?:(?:ProxyB|TLSS|ModC|Cache)[^\n]*\n)+
                   Scoreboard:\ \S+\n\z/sx,
         'much: between ours and the scoreboard');
    return;
}

# ---- requests ---------------------------------------------------------------

sub names {
    my ($s) = @_;
    (my $shown = NAME) =~ s/[^ -~]/?/g;
    is(length NAME, 255, 'a long name');
    my $bytes = $s->raw("GET /manager-status?auto HTTP/1.0\r\n\r\n");
    like($bytes, qr/\r\n\r\n\Q$shown\E\nServerVersion: /, 'it is the first line');
    my ($version) = $bytes =~ /^ServerVersion: (.*)$/m;
    like($version, qr{^Apache/\d+\.\d+\.\d+ }, 'the version, whatever the tokens');
    is(($bytes =~ /^Server: (.*)\r$/m)[0], 'Apache', 'which are few');
    for my $host ('ev-il.example', 'Uptime', '[::1]', 'scoreboard') {
        my ($body) = $s->raw("GET /manager-status?auto HTTP/1.1\r\nHost: $host"
                             . "\r\nConnection: close\r\n\r\n")
            =~ /\r\n\r\n(.*)\z/s;
        like($body, qr/\A[^\s"]+\nServerVersion: /, "Host: $host");
        is(join("\n", shape($body)), '', "Host: $host: it has its shape");
    }
    like($s->raw("GET /manager-status?auto HTTP/1.1\r\nHost: a\"b\r\n\r\n"),
         qr{\AHTTP/1\.1 400 }, 'a quote is no name');
    return;
}

sub tokens {
    my ($s) = @_;
    for my $query ('auto', 'auto=1', 'auto&auto', 'x&auto', 'auto=%00&y',
                   'refresh=5&auto', 'x=' . 'y' x 8000 . '&auto',
                   "auto&x=\xff\xc3", 'auto&<b>"x', 'filter=x&auto') {
        my $bytes = $s->raw("GET /manager-status?$query HTTP/1.1\r\n"
                            . "Host: a\r\nConnection: close\r\n\r\n");
        my $name = length $query > 40 ? substr($query, 0, 40) . '...' : $query;
        my ($head, $body) = split /\r\n\r\n/, $bytes, 2;
        like($head, qr{\AHTTP/1\.1 200 }, "?$name");
        unlike($head, qr/^Refresh:/mi, "?$name: programs load it themselves");
        is(join("\n", shape($body // '')), '', "?$name: the same text");
    }
    for my $query ('xauto', 'Auto', 'auto%00', '%61uto', 'aut', 'filter=auto',
                   'notable', 'auto,x', 'x;auto') {
        like(body($s, "/manager-status?$query"), qr/\A<!doctype html>/i,
             "?$query is the page");
    }
    is(join("\n", shape(body($s, '/manager-status/?auto'))), '', '/?auto');
    like(body($s, '/manager-status/status.json?auto'), qr/\A\{/,
         'elsewhere it means nothing');
    return;
}

sub headers {
    my ($s) = @_;
    my $answer = $s->get(OURS);
    is($answer->header('Content-Type'), 'text/plain; charset=utf-8', 'type');
    is($answer->header('Cache-Control'), 'no-store', 'not kept');
    is($answer->header('X-Content-Type-Options'), 'nosniff', 'not guessed at');
    my $head = $s->request('HEAD', OURS);
    is($head->code, 200, 'HEAD');
    is($head->content, '', 'HEAD: no body');
    is($head->header('Content-Type'), 'text/plain; charset=utf-8', 'HEAD: type');
    is($s->request('POST', OURS)->code, 405, 'POST');
    return;
}

# ---- without mod_status -----------------------------------------------------

sub alone {
    my $s = AMGR::Httpd->new(mpm => 'event', name => 'without mod_status',
        modules => [qw(proxy proxy_balancer slotmem_shm lbmethod_byrequests)],
        config => <<'END')->start;
<Location "/server-status">
    SetHandler manager-status
    Require local
</Location>
ProxyStatus On
<Proxy "balancer://pool">
    BalancerMember "http://127.0.0.1:9"
</Proxy>
END
    my $text = body($s, OURS);
    is(join("\n", shape($text)), '', 'alone: it has its shape');
    # Before the first tick, which comes after ten seconds.
    my ($ours) = $text =~ /^ConnsAsyncClosing: \d+\n(.*)^ProxyBalancer/ms;
    is(join(' ', $ours =~ /^ApacheManager(\w+): /mg),
       'Health Ticks KilledActive KilledIdle RequestsLost ErrorsTotal',
       'alone: our lines, each once');
    like($text, qr/^Total Accesses: \d+$/m, 'alone: what is counted');
    like($text, qr/^ProxyBalancer\[0\]Worker\[0\]Elected: 0$/m,
         'alone: and of other modules');
    is(join("\n", shape(body($s, THEIRS))), '', "alone: at mod_status's address");
    like(body($s, '/server-status'), qr{/server-status/assets/},
         'alone: so is the page, with all of it');
    $s->stop_ok;
    return;
}

1;
