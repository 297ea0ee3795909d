from django.db import migrations

from archive.custody import triggers


class Migration(migrations.Migration):
    dependencies = [("custody", "0001_initial")]
    operations = [
        migrations.RunPython(triggers.first_head, migrations.RunPython.noop),
        migrations.RunPython(triggers.create, migrations.RunPython.noop),
    ]
