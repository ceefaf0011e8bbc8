#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Loading: one LoadModule line changes nothing; every malformed value and every
# wrong place is an error of `httpd -t` that says which directive, which value
# and what was expected.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(mpms wait_until);
use Apache::Test qw(-withtestmore);
use File::Find ();

# One server to each MPM, all at once: the first tick comes after ten seconds.
my @servers = map {
    AMGR::Httpd->new(mpm => $_, location => 0, log_level => 'debug')->start;
} mpms();
my %before = map { $_->name => [$_->children] } @servers;

# ---- malformed values ------------------------------------------------------

my $check = AMGR::Httpd->new(mpm => 'event', name => 'check');

my $size = [qw(banana 12abc -1 +5M 0 0M 1e3 5X .5M 1.5.2M 99999999999G M
               NaN 0x10 5MM), ' ', '5 M', '1,5G'];
my $span = [qw(banana 12abc -1 +5s 0 0s 1e3 5x .5s 10dogs 10sfoo 1h30m 1ms2
               99999999999d), '5 s'];
my $switch = [qw(yes 1 true onn), ' '];
my %malformed = (
    ManagerMaxMemoryActive  => $size,
    ManagerMaxMemoryIdle    => $size,
    ManagerMaxTime          => $span,
    ManagerHangingThreshold => [@$span, 'Off'],
    ManagerMinAge           => [@$span, 'Off'],
    ManagerLameDuck         => $span,
    ManagerGracePeriod      => [@$span, 'Off'],
    ManagerEndlessGracePeriod => [@$span, 'Off'],
    ManagerKillCommandTimeout => [@$span, 'Off'],
    ManagerInterval         => [@$span, qw(Off 99ms 0.09 61m 2h 3601 1d)],
    ManagerDryRun           => $switch,
    ManagerSyslog           => $switch,
    ManagerMaxRetiring      => [qw(0 0% 101% -1 10%% % 5x 1.5 50.5% Off)],
    ManagerMinServing       => [qw(-1 1.5 many 1x 99999999999 Off)],
    ManagerStrikes          => [qw(0 -1 1.5 few 1x 99999999999 Off)],
    ManagerMemoryMetric     => [qw(vsz rs rsss)],
    ManagerShowRequests     => [qw(On all Pathh)],
    ManagerShowClients      => [qw(On none Path Networks)],
    ManagerServerStatus     => $switch,
    ManagerExitWhenDone     => $switch,
    ManagerStartOrder       => [qw(On Off Before Configg), 'After Config'],
    ManagerMetricsNames     => [qw(On Off All), 'native,compat', 'Nativ', ' '],
    ManagerHardMemory       => $size,
    ManagerMaxMemoryTotal   => [@$size, qw(0% 101% -1% 50.5% 10%% % 1e1%)],
    ManagerMaxGenerationAge => $span,
    ManagerControl          => [qw(yes 1 pymanagers Manager), ' '],
);

for my $directive (sort keys %malformed) {
    for my $value (@{ $malformed{$directive} }) {
        my ($out, $status) = $check->config_error(qq($directive "$value"));
        my $text = qr/^\s*\Q$directive\E: '\Q$value\E' is not .*\(expected .+\)$/m;
        ok($status != 0 && $out =~ $text, "$directive '$value' is refused")
            or diag("status $status: $out");
    }
    next if $directive eq 'ManagerMaxTime'; # takes words, see below
    # httpd's own words, which end in our help; an empty value is none to it.
    for my $values ('', '""', '1 2') {
        my ($out, $status) = $check->config_error("$directive $values");
        ok($status != 0 && $out =~ /\Q$directive\E takes one argument, \S/,
           "$directive with '$values' is refused") or diag($out);
    }
}

# Two values, or one word.
my @storm = (
    ['5',         '5'],     ['0 1m',    '0'],     ['-1 1m',   '-1'],
    ['65 1m',     '65'],    ['five 1m', 'five'],  ['5 0',     '0'],
    ['5 1week',   '1week'], ['5 -1m',   '-1m'],   ['5 ""',    '5'],
    ['Off 1m',    '1m'],    ['1.5 1m',  '1.5'],   ['5 Off',   'Off'],
);
for (@storm) {
    my ($values, $quoted) = @$_;
    my ($out, $status) = $check->config_error("ManagerStormLimit $values");
    ok($status != 0
       && $out =~ /^\s*ManagerStormLimit: '\Q$quoted\E' is not .*\(expected .+\)$/m,
       "ManagerStormLimit $values is refused") or diag("status $status: $out");
}

my @jittered = (
    (map { ["ManagerMaxRequests $_", $_] }
     qw(0 -1 1.5 many 1x 1e3 2147483648 99999999999 10%)),
    (map { [qq(ManagerMaxLifetime "$_"), $_] } @$span),
    (map { ["ManagerMaxRequests 10 $_", $_], ["ManagerMaxLifetime 1h $_", $_] }
     qw(10 100% -1% 1.5% % x% 5%% Off)),
    (map { ["$_ Off 10%", '10%'], ["$_ off 0%", '0%'] }
     qw(ManagerMaxRequests ManagerMaxLifetime)),
);
for (@jittered) {
    my ($line, $quoted) = @$_;
    my ($directive) = $line =~ /^(\w+)/;
    my ($out, $status) = $check->config_error($line);
    ok($status != 0
       && $out =~ /^\s*$directive: '\Q$quoted\E' is not .*\(expected .+\)$/m,
       "$line is refused") or diag("status $status: $out");
}
for my $directive (qw(ManagerMaxRequests ManagerMaxLifetime)) {
    for my $values ('', '1 2% 3%') {
        my ($out, $status) = $check->config_error("$directive $values");
        ok($status != 0 && $out =~ /\Q$directive\E takes 1-2 arguments, \S/,
           "$directive with '$values' is refused") or diag($out);
    }
}

# Sections of groups: what is in them, and how they begin.
my $all = 'ManagerMaxMemoryActive';
my @sections = (
    ['shop', 'ManagerMaxMemoryIdle 5M', 'ManagerMaxMemoryIdle'],
    ['daemon', 'ManagerMaxMemoryIdle 5M', 'ManagerMaxMemoryIdle'],
    ['shop', 'ManagerMaxRequests 5', 'ManagerMaxRequests'],
    ['native', 'ManagerMaxMemoryTotal 5G', 'ManagerMaxMemoryTotal'],
    ['native', 'ManagerMaxTime 5', 'ManagerMaxTime'],
    ['native', 'ManagerInterval 5', 'ManagerInterval'],
    ['native', 'ServerName x', 'ServerName'],
    ['native', "<ManagerGroup a>\n$all 5M\n</ManagerGroup>",
     '<ManagerGroup'],
    ['', "$all 5M", ''],
    ['a b', "$all 5M", 'a'],
    ['native', "$all 5X", '5X', $all],
    ['shop', "$all 0", '0', $all],
    ['shop', 'ManagerMaxLifetime Off 5%', '5%', 'ManagerMaxLifetime'],
    ['native', 'ManagerAskSignal TERM', 'ManagerAskSignal'],
    ['shop', 'ManagerEndlessGracePeriod 5s', 'ManagerEndlessGracePeriod'],
    (map { ['shop', "ManagerAskSignal $_", $_, 'ManagerAskSignal'] }
     qw(KILL SIGTERM 15 STOP Off)),
    ['daemon', 'ManagerGracePeriod Off', 'Off', 'ManagerGracePeriod'],
);
for (@sections) {
    my ($name, $line, $quoted, $directive) = @$_;
    my ($out, $status) =
        $check->config_error("<ManagerGroup $name>\n$line\n</ManagerGroup>");
    $directive //= '<ManagerGroup>';
    ok($status != 0 && $out =~
       /^\s*\Q$directive\E: '\Q$quoted\E' is not .*\(expected .+\)$/m,
       "<ManagerGroup $name> with $line is refused")
        or diag("status $status: $out");
}
{
    my $section = "<ManagerGroup shop>\n$all 5M\n</ManagerGroup>\n";
    my ($out, $status) = $check->config_error($section x 2);
    ok($status != 0 && $out =~ /'shop' is not valid \(expected one section/,
       'one section to a group') or diag($out);
    my $many = join '', map { $section =~ s/shop/g$_/r } 1 .. 64;
    ($out, $status) = $check->config_error($many);
    is($status, 0, '64 sections') or diag($out);
    ($out, $status) = $check->config_error($many . $section);
    ok($status != 0 && $out =~ /'shop' is not valid \(expected at most 64/,
       'and no more') or diag($out);
    for my $place ('', '<VirtualHost *:1>') {
        my ($end) = $place =~ /^<(\w+)/;
        ($out, $status) = $check->config_error(join "\n", $place,
            'ManagerAskSignal TERM', $end ? "</$end>" : '');
        ok($status != 0
           && $out =~ /ManagerAskSignal: belongs in the <ManagerGroup> section/,
           "ManagerAskSignal in '$place'") or diag($out);
    }
    ($out, $status) = $check->config_error(
        qq(<Location "/x">\nManagerAskSignal TERM\n</Location>));
    ok($status != 0 && $out =~ /ManagerAskSignal not allowed/,
       'ManagerAskSignal in a location') or diag($out);
    for my $place ('VirtualHost *:1', 'Location "/x"', 'Directory "/"') {
        my ($end) = $place =~ /^(\w+)/;
        ($out, $status) = $check->config_error("<$place>\n$section</$end>");
        ok($status != 0 && $out =~ /<ManagerGroup/,
           "a section in <$place> is refused") or diag($out);
    }
}

# A duration and words.
my @budgets = (
    ['',                        ''],        ['""',         ''],
    ['uploads',                 'uploads'], ['1m 2m',      '2m'],
    ['1m downloads',            'downloads'],
    ['1m upload',               'upload'],
    ['1m uploads uploads',      'uploads'],
    ['1m streams Uploads STREAMS', 'STREAMS'],
    ['1m uploads Off',          'Off'],
    ['Off uploads',             'uploads'], ['Off Off',    'Off'],
);
for (@budgets) {
    my ($values, $quoted) = @$_;
    my ($out, $status) = $check->config_error("ManagerMaxTime $values");
    ok($status != 0
       && $out =~ /^\s*ManagerMaxTime: '\Q$quoted\E' is not .*\(expected .+\)$/m,
       "ManagerMaxTime $values is refused") or diag("status $status: $out");
}

for my $case ((map { ['ManagerDataFile', $_], ['ManagerSocket', $_] }
               'some/dir/', '/'),
              ['ManagerSocket', '/' . 'x' x 107],
              ['ManagerSocket', 'x' x 107]) {
    my ($directive, $value) = @$case;
    my ($out, $status) = $check->config_error("$directive $value");
    ok($status != 0
       && $out =~ /^\s*$directive: '\Q$value\E' is not .*\(expected .+\)$/m,
       "$directive $value is refused") or diag("status $status: $out");
}

# A word, an absolute path, and each word once; an empty value is quoted too.
my @command = (
    ['',                      ''],
    ['""',                    ''],
    ['during /bin/true',      'during'],
    ['/bin/true',             '/bin/true'],
    ['before',                ''],
    ['before ""',             ''],
    ['after true',            'true'],
    ['after ./true',          './true'],
    ['before "bin/true -x"',  'bin/true -x'],
    ['before /',              '/'],
    ['before /bin/',          '/bin/'],
    ["before /bin/true\nManagerKillCommand Before /bin/true", 'Before'],
    ["after /bin/true\nManagerKillCommand after /bin/false x", 'after'],
);
for (@command) {
    my ($values, $quoted) = @$_;
    my ($out, $status) = $check->config_error("ManagerKillCommand $values");
    ok($status != 0
       && $out =~ /^\s*ManagerKillCommand: '\Q$quoted\E' is not .*\(expected .+\)$/m,
       "ManagerKillCommand $values is refused") or diag("status $status: $out");
}

# ---- what is good ----------------------------------------------------------

my @good = (
    (map { ("ManagerMaxMemoryActive $_", "ManagerMaxMemoryIdle $_") }
     qw(50K 50KB 50kb 50KiB 5m 1.5G 42 2T off Off OFF)),
    (map { "ManagerMaxTime $_" } qw(500ms 2s 3m 5h 2d 90 1.5m off),
     '1m uploads', '1m Streams UPGRADES', '1m upgrades uploads streams'),
    # Said twice, the last holds, as everywhere in httpd.
    "ManagerMaxTime 1m\nManagerMaxTime 2m streams",
    (map { my ($section) = /<(\w+)/;
           ("$_\nManagerMaxTime 2m\n</$section>",
            "$_\nManagerMaxTime Off\n</$section>",
            "$_\nManagerControl On\n</$section>") }
     '<VirtualHost *:1>', '<Directory "/">', '<DirectoryMatch "x">',
     '<Location "/x">', '<LocationMatch "x">', '<Files "x">',
     '<If "true">'),
    "<VirtualHost *:1>\n<Location \"/x\">\n<If \"true\">\n"
        . "ManagerMaxTime 2m uploads\n</If>\n</Location>\n</VirtualHost>",
    (map { "ManagerHangingThreshold $_" } qw(500ms 5M 300)),
    (map { "ManagerInterval $_" } qw(100ms 0.1 10s 1h 60m 3600)),
    (map { ("ManagerDryRun $_", "ManagerSyslog $_") } qw(on OFF)),
    (map { "ManagerMinAge $_" } qw(1ms 30s)),
    (map { "ManagerLameDuck $_" } qw(1ms 30s off)),
    (map { ("ManagerGracePeriod $_", "ManagerEndlessGracePeriod $_") }
     qw(1ms 30s 1h)),
    (map { "ManagerKillCommandTimeout $_" } qw(1ms 10s 1h)),
    (map { "ManagerKillCommand $_" } 'before /bin/true', 'AFTER /no/such -x y',
     'before "/opt/a b/c" "d e" f',
     "before /bin/true\nManagerKillCommand after /bin/true"),
    (map { "ManagerMaxRetiring $_" } qw(1 20 1% 100%)),
    (map { "ManagerMinServing $_" } qw(0 1 100)),
    (map { "ManagerStrikes $_" } qw(1 1000)),
    (map { "ManagerStormLimit $_" } 'Off', 'off', '1 1s', '64 1d'),
    (map { "ManagerMemoryMetric $_" } qw(rss ANON Pss uss)),
    (map { "ManagerShowRequests $_" } qw(off path FULL)),
    (map { "ManagerShowClients $_" } qw(off network FULL)),
    (map { "ManagerServerStatus $_" } qw(on OFF)),
    (map { "ManagerControl $_" } qw(on OFF pymanager PyManager)),
    (map { "ManagerExitWhenDone $_" } qw(on OFF)),
    (map { "ManagerStartOrder $_" } qw(after CONFIG)),
    (map { "ManagerMetricsNames $_" } qw(native COMPAT Both)),
    (map { "ManagerHardMemory $_" } qw(1G off)),
    (map { "ManagerMaxMemoryTotal $_" } qw(1G 1% 100% 512M off)),
    (map { "ManagerMaxGenerationAge $_" } qw(5m off)),
    (map { ("ManagerMaxRequests 2147483647$_", "ManagerMaxRequests 1$_",
            "ManagerMaxLifetime 1d$_") } '', ' 0%', ' 99%'),
    'ManagerMaxRequests off', 'ManagerMaxLifetime Off',
    "<ManagerGroup native>\n$all 5M\nManagerMaxMemoryIdle Off\n"
        . "ManagerHardMemory 1G\nManagerMaxLifetime 1d 20%\n</ManagerGroup>",
    "<ManagerGroup shop>\n<IfModule mime_module>\nManagerHardMemory 1G\n"
        . "</IfModule>\n</ManagerGroup>",
    qq(<ManagerGroup "my shop">\nManagerMaxLifetime off\n</ManagerGroup>),
    "<ManagerGroup daemon>\n</ManagerGroup>",
    (map { "<ManagerGroup daemon>\nManagerAskSignal $_\nManagerGracePeriod 5s\n"
           . '</ManagerGroup>' } qw(TERM usr1 USR2 HUP INT QUIT WINCH)),
    (map { "ManagerDataFile $_" } 'Off', 'off', 'x.txt', '/nonexistent/x.txt'),
    (map { "ManagerSocket $_" } 'Off', 'OFF', 'x.sock', '/nonexistent/x.sock',
     '/' . 'x' x 106),
);
for my $line (@good) {
    my ($out, $status) = $check->config_error($line);
    ok($status == 0 && $out =~ /^Syntax OK$/m, "$line is accepted")
        or diag("status $status: $out");
}

# ---- places ----------------------------------------------------------------

my %any = (
    (map { $_ => 'Off' } qw(ManagerMaxMemoryActive ManagerMaxMemoryIdle
                            ManagerDryRun ManagerSyslog ManagerStormLimit
                            ManagerShowRequests ManagerShowClients
                            ManagerServerStatus ManagerDataFile
                            ManagerExitWhenDone
                            ManagerSocket
                            ManagerHardMemory ManagerMaxMemoryTotal
                            ManagerMaxRequests ManagerMaxLifetime
                            ManagerMaxGenerationAge)),
    (map { $_ => '1m' } qw(ManagerHangingThreshold ManagerMinAge
                           ManagerLameDuck ManagerGracePeriod
                           ManagerEndlessGracePeriod
                           ManagerKillCommandTimeout
                           ManagerInterval)),
    (map { $_ => '1' } qw(ManagerMaxRetiring ManagerMinServing
                          ManagerStrikes)),
    ManagerMemoryMetric => 'rss',
    ManagerMetricsNames => 'Both',
    ManagerStartOrder => 'Config',
    ManagerKillCommand => 'before /bin/true',
);
# Those that sections may have are asked for there above.
is(join(' ', grep { !exists $any{$_} } sort keys %malformed),
   'ManagerControl ManagerMaxTime',
   'the table of places knows every other directive');
for my $place ('<Limit GET>', '<LimitExcept GET>') {
    my ($section) = $place =~ /<(\w+)/;
    for my $line ('ManagerMaxTime 1m', 'ManagerControl On') {
        my ($out, $status) = $check->config_error(
            "<Location \"/x\">\n$place\n$line\n</$section>\n</Location>");
        my ($directive) = split ' ', $line;
        ok($status != 0 && $out =~ /$directive cannot occur within <Limit/,
           "$directive in $place is refused") or diag("status $status: $out");
    }
}
for my $directive (sort keys %any) {
    for my $place ('<VirtualHost *:1>', '<Directory "/">', '<Location "/x">',
                   '<Files "x">', '<Location "/manager-status">') {
        my ($section) = $place =~ /<(\w+)/;
        my ($out, $status) = $check->config_error(
            "$place\n$directive $any{$directive}\n</$section>");
        ok($status != 0 && $out =~ /\Q$directive\E/,
           "$directive in $place is refused") or diag("status $status: $out");
    }
}

my ($out, $status) = $check->config_error('ManagerBalancerName x');
ok($status != 0 && $out =~ /Invalid command 'ManagerBalancerName'/,
   q(mod_cluster's directive is not ours));

# ---- what loading did not do -----------------------------------------------

for my $s (@servers) {
    my $name = $s->name;
    ok(wait_until(sub { -e $s->data_file }, 30, 'the first tick'),
       "$name ticks");
    is("@{[$s->children]}", "@{ $before{$name} }",
       "$name: nothing was killed, and no process was added");
    is($s->get('/manager-status')->code, 404,
       "$name: nothing is shown until a location says so");
    is($s->get('/')->code, 200, "$name serves");
    is_deeply([files_outside($s)], [], "$name: no file outside the runtime "
              . 'directory');
    my @own = grep { !/httpd\.pid$/ } glob $s->runtime_file('*');
    is_deeply([map { s{.*/}{}r } @own],
              ['apache-manager.board', 'apache-manager.txt'],
              "$name: two files in it");
    is(mode($s->board_file), '0600', "$name: the board is the server's alone");
    is(mode($s->data_file), '0644', "$name: the data file is for everybody");
    is(join("\n", $s->log_lines(qr/Would kill|Killing|AMGR\d{4}/)), '',
       "$name: nothing to announce");
    like(slurp($s->data_file), qr/^workers-killed-idle\t0$/m,
         "$name: nothing killed in the data file");
    $s->stop_ok;
}

sub mode { return sprintf '%04o', (stat $_[0])[2] & 07777 }

sub slurp {
    my ($file) = @_;
    open my $fh, '<', $file or die "$file: $!\n";
    local $/;
    return scalar <$fh>;
}

sub files_outside {
    my ($s) = @_;
    my %ours = map { $s->path($_) => 1 }
        qw(htdocs/index.html conf/mime.types conf/httpd.conf logs/error.log
           logs/output.log run/httpd.pid);
    my @found;
    File::Find::find({ no_chdir => 1, wanted => sub {
        push @found, $_ if !-d && !$ours{$_} && !m{/run/[^/]+$};
    } }, $s->root);
    return sort @found;
}

done_testing();
