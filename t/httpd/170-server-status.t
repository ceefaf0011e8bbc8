#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The section on mod_status's page: loaded before us, after us, and not at all;
# as HTML, without tables and in ?auto, whose clients must still understand
# every line.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

my $location = <<'END';
ManagerMaxMemoryActive 1G
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END

my %server = (
    before => AMGR::Httpd->new(mpm => 'event', name => 'status before us',
        interval => '200ms', modules => ['status'], config => $location),
    after => AMGR::Httpd->new(mpm => 'prefork', name => 'status after us',
        interval => '200ms',
        config => AMGR::Httpd::load_line('status') . $location),
    none => AMGR::Httpd->new(mpm => 'event', name => 'no status',
        interval => '200ms'),
    off => AMGR::Httpd->new(mpm => 'event', name => 'turned off',
        interval => '200ms', modules => ['status'],
        config => $location . "ManagerServerStatus Off\n"),
    alone => AMGR::Httpd->new(mpm => 'prefork', name => 'one process',
        modules => ['status'], config => $location, args => ['-X']),
    nowhere => AMGR::Httpd->new(mpm => 'event', name => 'without a page',
        modules => ['status'], location => 0, config => $location),
    elsewhere => AMGR::Httpd->new(mpm => 'event', name => 'page elsewhere',
        modules => ['status'], location => 0, config => $location . <<'END'),
<LocationMatch "^/by-pattern">
    SetHandler manager-status
</LocationMatch>
<Location "/a b&c">
    SetHandler "%{reqenv:NO_SUCH}manager-status"
    Require local
</Location>
END
);
$_->start for values %server;
for my $name (qw(before after none)) {
    ok(wait_until(sub { $server{$name}->json->{manager}{ticks} > 1 }, 30,
                  'two ticks'), $server{$name}->name . ': it ticks');
}

my %numeric = map { $_ => 1 } qw(Health Ticks TickAgeSeconds Processes Retiring
    OverLimit Hanging KilledActive KilledIdle RequestsLost MemoryNativeBytes
    MemoryLargestBytes ErrorsTotal);

for my $name (qw(before after)) {
    my $s = $server{$name};
    html($s);
    auto($s);
}

is($server{none}->get('/server-status')->code, 404,
   'without mod_status there is no such page');

# Turned off, mod_status says what it says without us.
for my $query ('', '?auto', '?notable') {
    my $answer = $server{off}->get("/server-status$query");
    is($answer->code, 200, "off: /server-status$query");
    unlike($answer->content, qr/Apache ?manager/i, "off: nothing of us");
}
$server{off}->set_config($location . "ManagerServerStatus On\n");
ok($server{off}->graceful, 'turned on by a graceful restart');
ok(wait_until(sub {
    $server{off}->get('/server-status?auto')->content =~ /^ApacheManager/m;
}, 30, 'our lines'), 'it is there then');

# Under -X nothing ticks: what only a tick knows is left out.
my $alone = $server{alone};
like($alone->get('/server-status')->content, qr{<strong>Not monitored\.</strong>},
     '-X: the verdict');
my $text = $alone->get('/server-status?auto')->content;
is(join(' ', $text =~ /^ApacheManager(\w+): \d+$/mg),
   'Health Ticks KilledActive KilledIdle RequestsLost ErrorsTotal',
   '-X: the figures that there are');
like($text, qr/^ApacheManagerHealth: 1$/m, '-X: nothing is judged');

# Before the first tick, which comes after ten seconds, and without a page.
my $early = $server{nowhere}->get('/server-status')->content;
like($early, qr{<h2>Apache manager</h2>}, 'without a page: the section');
unlike($early, qr/<a href="[^"]*manager/, 'without a page: no link');
my $elsewhere = $server{elsewhere}->get('/server-status')->content;
like($elsewhere, qr{<a href="/a%20b&amp;c">}, 'the link is escaped');
is($server{elsewhere}->get('/a%20b&c')->code, 200, 'and leads to the page');

$_->stop_ok for values %server;
done_testing();

sub html {
    my ($s) = @_;
    my $who = $s->name;
    my $answer = $s->get('/server-status');
    my $text = $answer->content;
    my ($ours) = $text =~ m{(<h2>Apache manager</h2>.*?/manager-status.*?</p>)}s;
    ok($ours, "$who: the section") or return diag($text);
    unlike($text, qr/[^\n\r\t -~]/, "$who: ASCII, as its character set is");
    like($ours, qr{<p><strong>Healthy\.</strong> (?:All|The one) [^<]*</p>},
         "$who: the verdict");
    my ($head, $row) = map { [ $_ =~ m{<t[hd][^>]*>([^<]*)</t[hd]>}g ] }
        grep { /Group|native/ } $ours =~ m{<tr>(.*?)</tr>}gs;
    is(scalar @$head, 5, "$who: five columns");
    is(scalar @$row, 5, "$who: and in the row");
    cmp_ok($row->[1], '>=', 2, "$who: processes");
    like($row->[2], qr/^\d+(?:\.\d+)? MB$/, "$who: memory");
    is($row->[4], '1.07 GB', "$who: the limit");
    like($ours, qr/Retired since the server was started: 0 \(0 active, 0 idle\)/,
         "$who: nobody was retired");
    like($ours, qr{<a href="/manager-status">}, "$who: the link");
    # Small numbers may stand for something else.
    unlike($ours, qr/\b$_\b/, "$who: no process is named")
        for grep { $_ > 999 } $s->workers;
    unlike($ours, qr/127\.0\.0|GET |HTTP/, "$who: no client, no request");
    # The end of the page is mod_status's own.
    like($text, qr{\Q$ours\E\s*(?:<hr />|</body>)}, "$who: at the end");

    my $plain = $s->get('/server-status?notable')->content;
    my ($list) = $plain =~ m{(<h2>Apache manager</h2>.*)}s;
    unlike($list, qr/<t[adhr]/, "$who: ?notable has no table");
    like($list, qr{<li>native: \d+ processes, resident memory },
         "$who: but a list");
    is($s->request('HEAD', '/server-status')->code, 200, "$who: HEAD");
    is($s->request('HEAD', '/server-status')->content, '', "$who: no body");
    return;
}

sub auto {
    my ($s) = @_;
    my $who = $s->name;
    my $text = $s->get('/server-status?auto')->content;
    my (%seen, @ours, @wrong);
    my ($first, @lines) = split /\n/, $text;
    # mod_ssl and others may speak as well; ours are in one piece.
    for my $line (@lines) {
        my ($key, $value) = $line =~ /^([^:]+): (.*)$/ or next;
        push @wrong, "$key is there twice" if $seen{$key}++;
        next unless $key =~ s/^ApacheManager//;
        push @ours, $key;
        push @wrong, "$line: not a number" unless $value =~ /^\d+$/;
        push @wrong, "$line: unknown" unless $numeric{$key};
    }
    is(join("\n", @wrong), '', "$who: every line is understood");
    is(join(' ', sort @ours), join(' ', sort keys %numeric),
       "$who: all figures");
    unlike($text, qr/[^\n -~]|<[a-z]/, "$who: plain text");
    my %value = $text =~ /^(ApacheManager\w+): (\d+)$/mg;
    is($value{ApacheManagerHealth}, 0, "$who: healthy");
    # Between two answers the MPM may fork another one.
    ok(wait_until(sub {
        my ($count) = $s->get('/server-status?auto')->content
            =~ /^ApacheManagerProcesses: (\d+)$/m;
        $count == grep { $_->{kind} eq 'native' } @{ $s->json->{processes} };
    }, 30, 'the same count'), "$who: processes");
    cmp_ok($value{ApacheManagerTickAgeSeconds}, '<', 15, "$who: age");
    cmp_ok($value{ApacheManagerMemoryNativeBytes}, '>',
           $value{ApacheManagerMemoryLargestBytes}, "$who: sum and largest");
    cmp_ok($value{ApacheManagerMemoryLargestBytes}, '>', 1 << 20,
           "$who: the largest");
    # The clients' own rules.
    ok($text =~ /^BusyWorkers: \d+$/m && $text =~ /^IdleWorkers: \d+$/m
       && $text =~ /^Scoreboard: [_SRWKDCLGI.]+$/m,
       "$who: mod_status's lines are whole");
    return;
}
