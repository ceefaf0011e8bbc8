#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# No directive may stand in .htaccess, which whoever owns a directory writes:
# neither where that may override all that can be overridden, nor where it is
# allowed this very directive by name, as httpd permits for those of sections.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd;
use AMGR::Lint qw(slurp);
use Apache::Test qw(-withtestmore);

use constant FEW => 30; # there are more directives

# The directives that the table has, each with the value, or the section, of
# the reference configuration: nothing but its place is wrong with it.
my $table = slurp('src/httpd/directives.c');
my $reference = slurp('conf/reference.conf');
my %line;
for my $name ($table =~
              /^\s*[A-Z][A-Z0-9_]*\(\s*"(<?Manage[dr][A-Z][A-Za-z]+)"/mg) {
    my ($first, $rest) = $reference =~ /^# *(\Q$name\E .*)\n((?:# .*\n)*)/m;
    ok($first, "$name has a value in the reference") or next;
    $line{$name} = "$first\n";
    next if $name !~ /^</;
    $rest =~ s/^#//mg;
    $line{$name} .= $rest . ($name =~ s{^<(.*)}{</$1>\n}r);
}
# Gates are about a process that is there.
$line{ManagerGate} = "ManagerGate web\n";
cmp_ok(scalar keys %line, '>', FEW, 'directives');

my $s = AMGR::Httpd->new(mpm => 'event', interval => '500ms', config => <<'END');
<ManagedProcess web>
    Command /bin/sleep 1000
</ManagedProcess>
END
mkdir $s->path("htdocs/$_") for qw(all named);
$s->write('htdocs/all/plain', "plain\n");
my $root = $s->root;
$s->{config} .= "<Directory \"$root/htdocs/all\">\nAllowOverride All\n"
    . "</Directory>\n";
my %ask; # address => directive
for my $name (sort keys %line) {
    (my $dir = $name) =~ s/^<//;
    for my $way (qw(all named)) {
        mkdir $s->path("htdocs/$way/$dir") or die "$dir: $!\n";
        $s->write("htdocs/$way/$dir/.htaccess", $line{$name});
        $s->write("htdocs/$way/$dir/plain", "plain\n");
        $ask{"/$way/$dir/plain"} = $name;
    }
    $s->{config} .= "<Directory \"$root/htdocs/named/$dir\">\n"
        . "AllowOverride Limit\nAllowOverrideList $name\n</Directory>\n";
}
$s->start;
my @before = $s->workers;
my $limits = $s->json->{limits};

my %said = (all => qr/not allowed here/,
            named => qr/not allowed here|cannot occur within htaccess files/);
for my $address (sort keys %ask) {
    my $name = $ask{$address};
    my ($way, $dir) = $address =~ m{^/(\w+)/(\w+)/};
    $s->mark_log;
    is($s->get($address)->code, 500, "$address is not served");
    my @lines = $s->log_lines(qr{\Q/$way/$dir/.htaccess: $name\E>? $said{$way}});
    is(scalar @lines, 1, 'and that is told') or diag($s->log_lines);
    $s->expect_log(qr{/\Q$way/$dir\E/\.htaccess: \Q$name\E>? $said{$way}},
                   # which httpd can say of those of the whole server
                   qr{AH02304: Discarding directive `\Q$name\E' not allowed in});
}
is($s->get('/all/plain')->content, "plain\n", 'what has none is served');
is_deeply($s->json->{limits}, $limits, 'nothing has changed');
is(join(' ', $s->workers), "@before", 'nobody fell over it');
$s->stop_ok;
done_testing();
