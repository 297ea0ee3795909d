"""Addresses of people's pages: random identifiers, no names (promise 7)."""

from __future__ import annotations

from django.urls import URLPattern, path

from . import views

urlpatterns: list[URLPattern] = [
    path("students/", views.students, name="students"),
    path("students/new/", views.student_new, name="student-new"),
    path("students/<uuid:student>/", views.student, name="student"),
    path("students/<uuid:student>/edit/", views.student_edit, name="student-edit"),
    path("students/<uuid:student>/rights/new/", views.right_new, name="right-new"),
    path("students/<uuid:student>/rights/<uuid:right>/end/", views.right_end, name="right-end"),
    path("students/<uuid:student>/bars/new/", views.bar_new, name="bar-new"),
    path("students/<uuid:student>/bars/<uuid:bar>/end/", views.bar_end, name="bar-end"),
    path("students/<uuid:student>/at-18/", views.majority_decide, name="majority"),
    path("people/", views.persons, name="persons"),
    path("people/new/", views.person_new, name="person-new"),
    path("people/<uuid:person>/", views.person, name="person"),
    path("people/<uuid:person>/edit/", views.person_edit, name="person-edit"),
    path("people/<uuid:person>/account/", views.person_account, name="person-account"),
    path("rosters/", views.roster, name="roster"),
    path("rosters/<uuid:run>/", views.roster_run, name="roster-run"),
]
