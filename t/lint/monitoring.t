#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# What is shipped for Prometheus and Grafana, as far as it can be judged
# without a server: promtool takes configuration and rules and runs the rules'
# tests, every rule is tested, the README tells the same alerts, and the
# dashboard is whole.  t/httpd/840-prometheus-*.t asks a server.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Dashboard;
use AMGR::Lint qw(slurp);
use AMGR::Prometheus qw(promtool);
use File::Temp ();
use Test::More;

use constant {
    DIR       => 'conf/prometheus',
    DASHBOARD => 'conf/grafana/apache-manager.json',
};

my $rules = slurp(DIR . '/apache_manager.rules.yml');
my $tests = slurp(DIR . '/apache_manager.rules.test.yml');
my @alerts = $rules =~ /^ +- alert: (\w+)$/mg;
my @records = $rules =~ /^ +- record: (\S+)$/mg;

sub promtool_ok {
    my ($what, @args) = @_;
    my ($out, $status) = promtool(\@args, dir => DIR);
    return ok($status == 0, "promtool $what") || diag($out);
}

sub promtool_takes_all {
    promtool_ok('check config', qw(check config prometheus.yml));
    # What is commented out is "#word" or "#   word", a remark "# words".
    my $text = slurp(DIR . '/prometheus.yml');
    my $examples = $text =~ s/^( *)#(?= *["'a-z-])(?! \S)/$1/mg;
    cmp_ok($examples, '>', 10, 'prometheus.yml has examples commented out');
    my $file = File::Temp->new(SUFFIX => '.yml');
    print {$file} $text;
    close $file;
    promtool_ok('check config, with all its examples',
                qw(check config --syntax-only), "$file");
    promtool_ok('check rules', qw(check rules --lint=all --lint-fatal
                                  apache_manager.rules.yml));
    promtool_ok('test rules', qw(test rules apache_manager.rules.test.yml));
    return;
}

# In the file of tests each alert fires somewhere and somewhere does not.
sub rules_are_tested {
    cmp_ok(scalar @alerts, '>=', 10, 'there are alerts');
    cmp_ok(scalar @records, '>=', 10, 'something is recorded');
    for my $alert (@alerts) {
        my @cases = $tests =~ /^ +- alertname: $alert\n +eval_time: \w+\n +exp_alerts:(?=(.*\n.*))/mg;
        ok(scalar(grep { /exp_labels/ } @cases), "$alert fires in a test");
        my ($input) = $tests =~ /^  - name: [^\n]*\b$alert\b[^\n]*\n(.*?)^    alert_rule_test:/ms;
        like($input // '', qr/instance="good"/,
             "$alert: its test has a server that is well");
    }
    for my $record (@records) {
        like($tests, qr/expr: (?:round\()?\Q$record\E(?:,|$)/m, "$record is tested");
    }
    return;
}

# Every alert says how bad, what and what to do.
sub alerts_are_told {
    my %said;
    for my $rule (split /^ +- (?=alert: )/m, $rules =~ s/\A.*?(?=^ +- alert: )//msr) {
        next unless $rule =~ /\Aalert: (\w+)/;
        my $name = $said{$1} = $1;
        like($name, qr/^ApacheManager[A-Z]\w+$/, "$name: its name");
        like($rule, qr/^ +severity: (?:critical|warning|info)$/m,
             "$name: its severity");
        like($rule, qr/^ +summary: ".*\{\{ \$labels\.instance \}\}.*[^.]"$/m,
             "$name: a summary that names the server");
        like($rule, qr/^ +description: ".+\. .+\."$/m,
             "$name: what it means and what to do");
    }
    my @readme = slurp('README.md') =~ /^\| `(ApacheManager\w+)` \| (?:critical|warning|info) \|/mg;
    is_deeply(\@readme, \@alerts, 'the README has these alerts in their order');
    return;
}

# Names that do not begin as ours do would be somebody else's.
sub records_are_named {
    for my $record (@records) {
        like($record, qr/^(?:instance|cluster):apache_manager_\w+:\w+$/,
             "$record: level, metric, operation");
    }
    return;
}

sub dashboard_is_whole {
    my $text = slurp(DASHBOARD);
    my $dashboard = AMGR::Dashboard->new($text);
    is_deeply([$dashboard->problems], [], 'nothing is wrong with the dashboard');
    cmp_ok(scalar $dashboard->panels, '>', 20, 'it has panels');
    my %recorded = map { $_ => 1 } @records;
    my @unknown = grep { !$recorded{$_} }
        map { $_->{expr} =~ /\b((?:instance|cluster):\w+:\w+)/g }
        $dashboard->queries;
    is("@unknown", '', 'what it takes as recorded is recorded');
    return $text;
}

# A checker that cannot fail is none: each of these must be found.
sub checker_finds {
    my ($text) = @_;
    my @cases = (
        ['id', sub { $_[0]{id} = 7 }],
        ['schemaVersion', sub { $_[0]{schemaVersion} = 16 }],
        ['its id stands twice', sub { $_[0]{panels}[2]{id} = $_[0]{panels}[1]{id} }],
        ['title stands twice', sub { $_[0]{panels}[2]{title} = $_[0]{panels}[1]{title} }],
        ['over ', sub { $_[0]{panels}[2]{gridPos}{x} = $_[0]{panels}[1]{gridPos}{x} }],
        ['not within the columns', sub { $_[0]{panels}[1]{gridPos}{w} = 25 }],
        ['$nobody is not known', sub { $_[0]{panels}[1]{targets}[0]{expr} .= ' + $nobody' }],
        ['variable spare is not used', sub { push @{ $_[0]{templating}{list} }, { name => 'spare', type => 'custom' } }],
        ['is not known before it', sub { @{ $_[0]{templating}{list} }[1, 2] = @{ $_[0]{templating}{list} }[2, 1] }],
        ['not the one chosen', sub { $_[0]{panels}[1]{targets}[0]{datasource} = { type => 'prometheus', uid => 'x' } }],
        ['not the one chosen', sub { $_[0]{panels}[-1]{panels}[0]{datasource} = 'Prometheus' }],
        ['no description', sub { delete $_[0]{panels}[1]{description} }],
        ['no unit', sub { delete $_[0]{panels}[-1]{panels}[0]{fieldConfig}{defaults}{unit} }],
        ['the unit furlongs is not known', sub { $_[0]{panels}[-1]{panels}[0]{fieldConfig}{defaults}{unit} = 'furlongs' }],
        ['graph is not known', sub { $_[0]{panels}[1]{type} = 'graph' }],
        ['__requires lacks panel stat', sub { @{ $_[0]{__requires} } = grep { $_->{id} ne 'stat' } @{ $_[0]{__requires} } }],
        ['__inputs', sub { push @{ $_[0]{__inputs} }, { name => 'DS' } }],
        ['no expression', sub { delete $_[0]{panels}[1]{targets}[0]{expr} }],
    );
    for my $case (@cases) {
        my ($word, $spoil) = @$case;
        my $spoilt = AMGR::Dashboard->new($text);
        $spoil->($spoilt->root);
        no warnings 'uninitialized'; # what is missing, where it is printed
        my @found = $spoilt->problems;
        ok(scalar(grep { index($_, $word) >= 0 } @found),
           "a dashboard with a fault is found out: $word") or diag("@found");
    }
    is(AMGR::Dashboard::expand('a[$x] $y_z ${x}', { x => 1, y_z => 2 }),
       'a[1] 2 1', 'variables are put in');
    ok(!eval { AMGR::Dashboard::expand('$x', {}); 1 }, 'and none is forgotten');
    return;
}

promtool_takes_all();
rules_are_tested();
alerts_are_told();
records_are_named();
checker_finds(dashboard_is_whole());
done_testing();
