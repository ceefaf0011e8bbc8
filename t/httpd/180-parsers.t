#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Programs that were written for mod_status's page, pointed at ours: their
# rules re-stated, and what they find compared with what they find on the page
# of mod_status of the same server.  And lynx, for those who look by it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(mpms repo_dir wait_until);
use Apache::Test qw(-withtestmore);
use IPC::Open3 qw(open3);
use JSON::PP ();

my %factor = ('' => 1, k => 1024, M => 1024 ** 2, G => 1024 ** 3);

my @servers = map {
    AMGR::Httpd->new(mpm => $_, interval => '200ms', modules => ['status'],
                     config => <<'END')->start;
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
END
} mpms();

for my $s (@servers) {
    ok(wait_until(sub { $s->json->{manager}{ticks} > 1 }, 30, 'two ticks'),
       $s->name . ': it ticks');
    $s->get($_) for ('/') x 40, ('/manager-status') x 10;
    # There are no rates in its first second.
    ok(wait_until(sub {
        my ($uptime) = $s->get('/server-status?auto')->content
            =~ /^ServerUptimeSeconds: (\d+)$/m;
        $uptime >= 2;
    }, 30, 'an uptime'), $s->name . ': it is up');
    sentences($s);
    letters($s);
    table($s);
    lynx($s);
    auto($s);
    $s->stop_ok;
}
done_testing();

# ---- by regular expressions over lines --------------------------------------

sub read_sentences {
    my ($page) = @_;
    my %found;
    for (split /\n/, $page) {
        @found{qw(busy idle)} = ($1, $2) if !defined $found{busy}
            && /(\d+)\s+requests\s+currently\s+being\s+processed,\s+.*?(\d+)\s+idle\s+....ers/;
        @found{qw(requests second second_unit request request_unit)} =
            ($1, $2, $3, $4, $5) if !defined $found{requests}
            && m{([0-9]*\.?[0-9]+)\s+requests/sec\s+-\s+([0-9]*\.?[0-9]+)\s+([kMG]?)B/second\s+-\s+([0-9]*\.?[0-9]+)\s+([kMG]?)B/request};
    }
    return \%found;
}

# Figures of both pages, at a moment when nobody else is served.
sub sentences {
    my ($s) = @_;
    my $who = $s->name;
    my ($theirs, $ours);
    wait_until(sub {
        $theirs = read_sentences($s->get('/server-status')->content);
        $ours = read_sentences($s->get('/manager-status')->content);
        defined $ours->{busy} && $ours->{busy} == $theirs->{busy}
            && $ours->{idle} == $theirs->{idle};
    }, 30, "$who: the same counts");
    is($ours->{busy}, $theirs->{busy}, "$who: requests being processed");
    is($ours->{idle}, $theirs->{idle}, "$who: idle workers");
    cmp_ok($ours->{idle}, '>=', 1, "$who: which are some");
    # Since the start, in seconds of a young server: about the same.
    about($ours->{requests}, $theirs->{requests}, "$who: requests a second");
    for my $per (qw(second request)) {
        about(map({ ($_->{$per} // 0) * $factor{ $_->{"${per}_unit"} // '' } }
                  $ours, $theirs), "$who: bytes a $per");
    }
    return;
}

sub about {
    my ($ours, $theirs, $what) = @_;
    ok(defined $ours && defined $theirs && $theirs > 0
       && $ours > $theirs / 2 && $ours < $theirs * 2, $what)
        or diag(($ours // 'nothing') . ' instead of ' . ($theirs // 'nothing'));
    return;
}

sub read_letters {
    my ($page) = @_;
    my ($pre) = $page =~ m{<pre>([^<]*)</pre>}i;
    return unless defined $pre && $page =~ /<pre/i
        && index(lc $page, '<pre') == index(lc $page, '<pre>');
    $pre =~ s/\n//g;
    return join '', sort split //, $pre;
}

sub letters {
    my ($s) = @_;
    my $who = $s->name;
    my ($theirs, $ours);
    wait_until(sub {
        $theirs = read_letters($s->get('/server-status')->content);
        $ours = read_letters($s->get('/manager-status')->content);
        defined $ours && $ours eq $theirs;
    }, 30, "$who: the same letters");
    is($ours, $theirs, "$who: the scoreboard in the first <pre>");
    like($ours // '', qr/^[_SRWKDCLGI.]+$/, "$who: nothing but letters");
    my ($pre) = $s->get('/manager-status')->content =~ m{<pre>([^<]*)</pre>}i;
    is(scalar(grep { length > 64 } split /\n/, $pre // 'x' x 65), 0,
       "$who: at most 64 in a line");
    return;
}

# ---- by the headings of a table ---------------------------------------------

sub read_table {
    my ($page) = @_;
    my $pid = open3(my $in, my $out, undef, 'python3',
                    repo_dir() . '/t/lib/py/worker_table.py');
    print {$in} $page;
    close $in;
    local $/;
    my $text = <$out>;
    waitpid $pid, 0;
    is($?, 0, 'the table is read') or diag($text);
    return JSON::PP->new->utf8->decode($text || '[]');
}

sub slot_sum {
    my ($rows) = @_;
    my $sum = 0;
    for my $row (@$rows) {
        $sum += (split m{/}, $row->{acc})[2];
    }
    return $sum;
}

sub table {
    my ($s) = @_;
    my $who = $s->name;
    my $before = read_table($s->get('/server-status')->content);
    my $rows = read_table($s->get('/manager-status')->content);
    my $after = read_table($s->get('/server-status')->content);
    cmp_ok(scalar @$rows, '>=', scalar @$before,
           "$who: no worker less than mod_status has");

    my %form = (
        srv => qr/^\d+-\d+$/, pid => qr/^\d+$/, acc => qr{^\d+/\d+/\d+$},
        m => qr/^[_SRWKDCLGI.]$/, cpu => qr/^\d*\.?\d+$/, req => qr/^\d+$/,
        conn => qr/^\d+\.?\d*$/, child => qr/^\d+\.\d+$/,
        slot => qr/^\d+\.\d+$/,
    );
    my @wrong;
    for my $row (@$rows) {
        push @wrong, map { "$_: '$row->{$_}'" }
            grep { $row->{$_} !~ $form{$_} } sort keys %form;
        # A worker that is busy must have a number: 'since when' is compared.
        push @wrong, "ss: '$row->{ss}'"
            if $row->{m} !~ /[_I.]/ && $row->{ss} !~ /^\d+$/;
    }
    is(join("\n", @wrong), '', "$who: every cell has its form");
    my %pid = map { $_ => 1 } $s->workers;
    is(join(' ', grep { !$pid{$_} } map { $_->{pid} } @$rows), '',
       "$who: pids of workers");
    my %has = map { $_->{pid} => 1 } @$rows;
    is(join(' ', grep { !$has{$_} } map { $_->{pid} } @$before), '',
       "$who: all that mod_status has");
    cmp_ok(slot_sum($rows), '>=', slot_sum($before), "$who: accesses");
    cmp_ok(slot_sum($rows), '<=', slot_sum($after), "$who: not too many");
    my ($self) = grep {
        $_->{m} eq 'W' && $_->{request} eq 'GET /manager-status HTTP/1.1'
    } @$rows;
    ok($self, "$who: the request that asks is there");
    is($self->{client}, '127.0.0.1', "$who: with its client");
    is($self->{vhost}, '127.0.0.1:' . $s->port, "$who: and virtual host");
    return;
}

# ---- lynx --------------------------------------------------------------------

sub dump_page {
    my ($s, $path, @options) = @_;
    local %ENV = (PATH => $ENV{PATH}, HOME => $s->path('work'), TERM => 'dumb',
                  LC_ALL => 'C.UTF-8', LANG => 'C.UTF-8');
    my $pid = open3(my $in, my $out, undef, 'lynx', '-dump', '-nolist',
                    '-display_charset=utf-8', @options, $s->url($path));
    close $in;
    local $/;
    my $text = <$out>;
    waitpid $pid, 0;
    is($?, 0, "lynx -dump @options") or diag($text);
    return $text;
}

sub lynx {
    my ($s) = @_;
    my $who = $s->name;
    my $text = dump_page($s, '/manager-status', '-width=200');
    my @lines = split /\n/, $text;
    my @head = @lines[0 .. ($#lines < 11 ? $#lines : 11)];
    ok(scalar(grep { /No limits are set/ } @head),
       "$who: the verdict is at the top") or diag(join "\n", @head);
    like($text, qr/uptime/i, "$who: the word uptime");
    ok(scalar(grep { /\d+ requests currently being processed, .*\d+ idle workers/ }
              @lines), "$who: the counts in one line");
    ok(scalar(grep { m{\d requests/sec - [\d.]+ kB/second - [\d.]+ kB/request} }
              @lines), "$who: the rates in one line");
    # Facts, then the workers, in the order of the page.
    my $verdict = index $text, 'No limits are set';
    my $counts = index $text, 'requests currently being processed';
    cmp_ok($verdict, '<', $counts, "$who: the verdict before the counts");
    unlike($text, qr/\{[^}]*:[^}]*;|\bfunction\b|addEventListener/,
           "$who: neither style nor script is shown");
    my @titles = map { s/<[^>]*>//gr } $s->get('/manager-status')->content
        =~ m{<h2[^>]*>(.*?)</h2>}gs;
    cmp_ok(scalar @titles, '>=', 5, "$who: sections");
    my $at = 0;
    my @lost = grep {
        my $next = $text =~ /\G.*?^\s*\Q$_\E\s*$/gms ? pos $text : undef;
        !defined $next;
    } @titles;
    is(join(', ', @lost), '', "$who: every section, in order");
    ok(scalar(grep {
        m{^\s*\d+-\d+\s+\d+\s+\d+/\d+/\d+\s+W\b.*127\.0\.0\.1.*GET /manager-status HTTP/1\.[01]}
    } @lines), "$who: the row of the request that asks");
    my $narrow = dump_page($s, '/manager-status');
    like($narrow, qr/No limits are set/, "$who: lynx in 80 columns");
    like($narrow, qr/idle\s+workers/, "$who: with the counts");
    return;
}

# ---- mod_status's ?auto with our lines in it ---------------------------------

sub auto {
    my ($s) = @_;
    my $who = $s->name;
    my $text = $s->get('/server-status?auto')->content;
    like($text, qr/^ApacheManagerTicks: \d+$/m, "$who: ?auto has our lines");
    my (%value, @wrong);
    for my $line (split /\n/, $text) {
        # One exporter cuts at the first ": " and takes a key once only, another
        # wants one colon in a line that is a number, a third no longer key.
        my ($key, $value) = split /: /, $line, 2;
        next unless defined $value;
        push @wrong, "$key twice" if exists $value{$key};
        $value{$key} = $value;
        next unless $key =~ /^ApacheManager/;
        push @wrong, $line if $line !~ /^[A-Za-z0-9]+: \d+$/;
    }
    is(join("\n", @wrong), '', "$who: exporters read every line");
    # By fields, as collectd does: two of them are a key and its value.
    my %field;
    for my $line (split /\n/, $text) {
        my @fields = split ' ', $line;
        $field{ $fields[0] } //= $fields[1] if @fields == 2;
    }
    is($field{'BusyWorkers:'}, $value{BusyWorkers}, "$who: BusyWorkers");
    is($field{'IdleWorkers:'}, $value{IdleWorkers}, "$who: IdleWorkers");
    is($field{'Scoreboard:'}, $value{Scoreboard}, "$who: Scoreboard");
    my %metric = $text =~ /^([A-z0-9 ]+): (.*)$/mg;
    cmp_ok($metric{'Total Accesses'}, '>=', 40, "$who: Total Accesses");
    my ($uptime) = $text =~ /\b(?:ServerUptimeSeconds|Uptime): (\d+)\n/;
    is($uptime, $value{ServerUptimeSeconds}, "$who: the uptime is the server's");
    return;
}
