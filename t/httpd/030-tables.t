#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The page's tables as a reader uses them, without a script: sorted by the
# links in their headings, filtered by the form, and back again.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);
use HTML::Entities qw(decode_entities);
use URI ();

for my $mpm (qw(prefork event)) {
    my $s = AMGR::Httpd->new(mpm => $mpm, interval => '200ms',
                             name => "tables-$mpm", config => <<'END')->start;
ManagerMaxMemoryActive 1G
ManagerSyslog On
ManagerKillCommand after /bin/true --token=hidden
ManagerKillCommandTimeout 7s
END
    ok(wait_until(sub { $s->json->{manager}{ticks} > 1 }, 30, 'two ticks'),
       "$mpm: it ticks");
    sorted($s, $mpm);
    filtered($s, $mpm);
    settings($s, $mpm);
    $s->stop_ok;
}
done_testing();

# The section of this id.
sub section {
    my ($s, $path, $id) = @_;
    my $answer = $s->get($path);
    is($answer->code, 200, "$path is answered");
    my ($section) =
        $answer->decoded_content =~ m{(<section id="$id".*?</section>)}s;
    return $section // '';
}

sub pids { return $_[0] =~ m{<tr id="p-(\d+)"><th scope="row">\1</th>}g }

sub sorted {
    my ($s, $mpm) = @_;
    my $section = section($s, '/manager-status', 'processes');
    my @pids = pids($section);
    cmp_ok(scalar @pids, '>=', 2, "$mpm: processes are there");
    is("@pids", join(' ', sort { $a <=> $b } @pids), "$mpm: by pid");
    unlike($section, qr/aria-sort/, "$mpm: no order was asked for");
    my %link = $section =~
        m{<a id="sort-processes-(\w+)"[^>]* href="([^"]+)">}g;
    cmp_ok(scalar keys %link, '>=', 13, "$mpm: headings are links");
    for my $word (sort keys %link) {
        my $path = '/manager-status' . decode_entities($link{$word});
        (my $address = $path) =~ s/\#.*//;
        my $there = section($s, $address, 'processes');
        my @sorted = $there =~ m{<th [^>]*aria-sort="(\w+)"><a id="sort-processes-(\w+)"}g;
        is($sorted[1], $word, "$mpm: sorted by $word");
        is(scalar @sorted, 2, "$mpm: and by nothing else");
        my ($back) = $there =~ m{<a id="sort-processes-$word"[^>]* href="\?processes=([^"\#]+)};
        is($back, $address =~ /=-/ ? $word : "-$word",
           "$mpm: and back the other way");
    }
    my @down = pids(section($s, '/manager-status?processes=-pid', 'processes'));
    is("@down", join(' ', sort { $b <=> $a } @down), "$mpm: the last first");
    return;
}

# The address that a browser asks for when the form on this page is sent.
sub submitted {
    my ($s, $path, $filter) = @_;
    my ($form) = section($s, $path, 'processes') =~
        m{<form method="get" role="search"[^>]*>(.*?)</form>}s;
    my @fields;
    for my $input (($form // '') =~ /<input ([^>]*)>/g) {
        my %of = $input =~ /([a-z]+)="([^"]*)"/g;
        push @fields, $of{name},
            $of{id} ? $filter : decode_entities($of{value});
    }
    my $uri = URI->new('/manager-status');
    $uri->query_form(@fields);
    return $uri->as_string;
}

sub filtered {
    my ($s, $mpm) = @_;
    my $start = '/manager-status?processes=-pid&history=day';
    my @natives = map { $_->{pid} }
        grep { $_->{kind} eq 'native' } @{ $s->json->{processes} };
    my $address = submitted($s, $start, 'NATIVE');
    like($address, qr/processes=-pid/, "$mpm: the order stays");
    like($address, qr/history=day/, "$mpm: the span, too");
    my $found = section($s, $address, 'processes');
    my %shown = map { $_ => 1 } pids($found);
    is(scalar(grep { !$shown{$_} } @natives), 0, "$mpm: all that match");
    my ($ticker) = $s->ticker_pid;
    ok(!$shown{$ticker}, "$mpm: and nobody else");
    like($found, qr{\d+ of \d+ processes match <q>NATIVE</q>},
         "$mpm: how many they are");
    like($found, qr{<a href="\?processes=-pid&amp;history=day\#processes">Show all</a>},
         "$mpm: and the way back");
    my $none = section($s, submitted($s, $start, q(<b>"'&%00 + ?#)),
                       'processes');
    like($none, qr{0 of \d+ processes match <q>&lt;b&gt;&quot;&\#39;&amp;%00 \+ \?\#</q>},
         "$mpm: what the reader typed, escaped");
    like($none, qr{name="filter" maxlength="63" value="&lt;b&gt;&quot;&\#39;&amp;%00 \+ \?\#"},
         "$mpm: and still in its field");
    return;
}

sub settings {
    my ($s, $mpm) = @_;
    my $limits = section($s, '/manager-status', 'limits');
    like($limits, qr{ManagerKillCommand\ after</code></th>
                     <td\ class="num">/bin/true</td>}x,
         "$mpm: the program that is run");
    unlike($limits, qr/hidden/, "$mpm: without its arguments");
    like($limits, qr{ManagerKillCommandTimeout</code></th><td class="num">7s<},
         "$mpm: for how long at most");
    like($limits, qr{ManagerSyslog</code></th><td class="num">On<},
         "$mpm: syslog");
    my $file = $s->data_file;
    like($limits, qr{<td class="num">\Q$file\E</td>}, "$mpm: the data file");
    like($limits, qr{id="limits-off"><summary>\d limits are off},
         "$mpm: what is off is folded");
    return;
}
